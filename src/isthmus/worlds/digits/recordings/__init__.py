"""Recordings: handwriting and speech, embedded or from files, come in; drawn images and utterances go out."""
