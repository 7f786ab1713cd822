"""Graph: more than two embedding sets come in; a star or a joint space over all of them goes out."""
