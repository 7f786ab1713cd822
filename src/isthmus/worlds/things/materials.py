"""Materials: the drawings and recordings that a things world is made of, those of a user's own among them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from isthmus.base.errors import IsthmusError
from isthmus.worlds.things.drawings.drawings import Drawings
from isthmus.worlds.things.scenes import SIZES, TINTS, Scenes
from isthmus.worlds.things.speech.recordings import SpokenUnits
from isthmus.worlds.things.speech.units import UNIT_OF_WORD, plural_unit, singular_unit
from isthmus.worlds.things.things import things
from isthmus.worlds.things.wording import SPOKEN


@dataclass(frozen=True)
class ThingsMaterials:
    """Drawings in several styles and units spoken by several voices.

    Args:
        drawings: All styles.
        speech: All voices.
        unseen_styles: Styles that no tower is trained on.
        unseen_voices: Voices that no tower is trained on.
        own_styles: Styles of the user's own, not trained on either.
        own_voices: Voices of the user's own.
    """

    drawings: Drawings
    speech: SpokenUnits
    unseen_styles: tuple[str, ...]
    unseen_voices: tuple[str, ...]
    own_styles: tuple[str, ...] = ()
    own_voices: tuple[str, ...] = ()

    @property
    def seen_styles(self) -> tuple[str, ...]:
        """The styles that the image tower is trained on."""
        return tuple(name for name in self.drawings.styles if name not in self.unseen_styles + self.own_styles)

    @property
    def seen_voices(self) -> tuple[str, ...]:
        """The voices that the speech tower is trained on."""
        return tuple(name for name in self.speech.voices if name not in self.unseen_voices + self.own_voices)

    @property
    def trained_on(self) -> str:
        """Sixteen hexadecimal digits that depend on the drawings and recordings that towers are trained on."""
        drawings, speech = self.drawings.of_styles(self.seen_styles), self.speech.of_voices(self.seen_voices)
        return hashlib.sha256(f"{drawings.fingerprint} {speech.fingerprint}".encode()).hexdigest()[:16]

    def style_numbers(self, names: Sequence[str]) -> Int[np.ndarray, " names"]:
        """The places of styles among all."""
        return np.array([self.drawings.styles.index(name) for name in names])

    def voice_numbers(self, names: Sequence[str]) -> Int[np.ndarray, " names"]:
        """The places of voices among all."""
        return np.array([self.speech.voices.index(name) for name in names])

    def known(self, styles: Sequence[str], voices: Sequence[str]) -> Int[np.ndarray, " some"]:
        """The things that have a drawing in one of the styles and that all of the voices can name.

        Raises:
            IsthmusError: There are none.
        """
        none = np.zeros((len(things()), 3), np.int64)
        thing, count = none - 1, none.copy()
        thing[:, 0], count[:, 0] = np.arange(len(things())), 1
        single = Scenes(thing, count, none, none)
        known = np.flatnonzero(self.can_show(single, styles) & self.can_say(single, voices))
        if not len(known):
            raise IsthmusError("no thing has both a drawing and a recording: add some of the same things")
        return known

    def can_show(self, scenes: Scenes, styles: Sequence[str]) -> Bool[np.ndarray, " n"]:
        """Which scenes have a drawing of every thing in one of the styles."""
        drawn = np.zeros(len(things()) + 1, bool)
        own = np.isin(self.drawings.style, self.style_numbers(styles))
        drawn[self.drawings.thing[own]] = True
        # The last place stands for "no further group".
        drawn[-1] = True
        return drawn[scenes.thing].all(1)

    def can_say(self, scenes: Scenes, voices: Sequence[str]) -> Bool[np.ndarray, " n"]:
        """Which scenes all of these voices can name, with their counts, sizes and tints.

        Phrases that only join groups may be lacking.
        """
        has = (self.speech.start[self.voice_numbers(voices)] >= 0).all(0)
        named = [has[singular_unit(thing)] | has[plural_unit(thing)] for thing in range(len(things()))]
        thing = np.array([*named, True])
        count = np.array([True, True, *(has[UNIT_OF_WORD[word]] for word in ("two", "three"))])
        size = np.array([True, *(has[UNIT_OF_WORD[word]] for word in SPOKEN.sizes[1:])])
        tint = np.array([True, *(has[UNIT_OF_WORD[word]] for word in TINTS[1:])])
        assert len(size) == len(SIZES)
        return (thing[scenes.thing] & count[scenes.count] & size[scenes.size] & tint[scenes.tint]).all(1)


def with_own(materials: ThingsMaterials, drawings: Drawings | None, speech: SpokenUnits | None) -> ThingsMaterials:
    """The same materials and a user's own drawings and recordings, to test on.

    Raises:
        IsthmusError: A style or voice has a name that is taken.
    """
    styles = drawings.styles if drawings else ()
    voices = speech.voices if speech else ()
    for name, taken in ((styles, materials.drawings.styles), (voices, materials.speech.voices)):
        for own in name:
            if own in taken or ":" in own:
                raise IsthmusError(f"{own!r} is a style or voice of the package, or contains ':': rename its folder")
    return ThingsMaterials(
        _both_drawings(materials.drawings, drawings) if drawings else materials.drawings,
        _both_voices(materials.speech, speech) if speech else materials.speech,
        materials.unseen_styles,
        materials.unseen_voices,
        styles,
        voices,
    )


def _both_drawings(first: Drawings, second: Drawings) -> Drawings:
    return Drawings(
        first.styles + second.styles,
        np.concatenate([first.pixels, second.pixels]),
        np.concatenate([first.thing, second.thing]),
        np.concatenate([first.style, second.style + len(first.styles)]),
    )


def _both_voices(first: SpokenUnits, second: SpokenUnits) -> SpokenUnits:
    moved = (np.where(own >= 0, own + len(first.samples), -1) for own in (second.start, second.end))
    return SpokenUnits(
        first.voices + second.voices,
        first.families + second.families,
        first.digests + second.digests,
        np.concatenate([first.samples, second.samples]),
        *(np.concatenate([own, other]) for own, other in zip((first.start, first.end), moved, strict=True)),
    )
