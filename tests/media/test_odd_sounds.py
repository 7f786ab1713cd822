"""Sound of the real world: headers that lie or say nothing, wrong suffixes, cut files, many channels, odd ranges.

Each file is a sweep of tones, one per second, so that what is heard tells which seconds of it were read.
"""

import io
import struct
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from isthmus.media import AudioWindows, UnreadableError, read_audio
from isthmus.media.readers.audio import MOST_WINDOWS, WINDOW_SECONDS

RATE = 16_000


def tone_of(second: int) -> int:
    """The frequency in Hz that is played during a second."""
    return 300 + 50 * second


def sweep(first: int, last: int, rate: int = RATE) -> np.ndarray:
    """The tones of the seconds from ``first`` up to ``last``."""
    time = np.arange(rate) / rate
    return np.concatenate([0.4 * np.sin(2 * np.pi * tone_of(second) * time) for second in range(first, last)])


def heard_seconds(sound: AudioWindows) -> list[int]:
    """The number of the tone in the middle of every second of the windows, joined."""
    samples = np.concatenate(sound.samples)
    found = []
    for second in range(len(samples) // sound.rate):
        part = samples[int((second + 0.25) * sound.rate) : int((second + 0.75) * sound.rate)]
        loudest = np.abs(np.fft.rfft(part * np.hanning(len(part)))).argmax() * sound.rate / len(part)
        found.append(round((loudest - 300) / 50))
    return found


def encoded(
    samples: np.ndarray, container: str, codec: str, *, rate: int = RATE, bits: int = 64_000, **options: str
) -> bytes:
    """The samples, of shape (samples,) or (channels, samples), as a file that FFmpeg writes."""
    channels = np.atleast_2d(samples).astype(np.float32)
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[len(channels)]
    with tempfile.NamedTemporaryFile() as file, av.open(file.name, "w", format=container, options=options) as opened:
        track = opened.add_stream(codec, rate=rate, layout=layout)
        track.bit_rate = bits
        resampler = av.AudioResampler(format=track.format, layout=layout, rate=rate)
        for start in range(0, channels.shape[1], 1024):
            part = np.ascontiguousarray(channels[:, start : start + 1024])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            for own in resampler.resample(frame):
                opened.mux(track.encode(own))
        opened.mux(track.encode(None))
        opened.close()
        return Path(file.name).read_bytes()


def written(samples: np.ndarray, form: str, subtype: str | None = None, rate: int = RATE) -> bytes:
    """The samples as a file that soundfile writes."""
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=form, subtype=subtype)
    return stream.getvalue()


def patched(content: bytes, **bytes_at: bytes) -> bytes:
    """The content with bytes replaced at the offsets ``at_N``."""
    changed = bytearray(content)
    for place, value in bytes_at.items():
        start = int(place.removeprefix("at_"))
        changed[start : start + len(value)] = value
    return bytes(changed)


def mp3(first: int, last: int, bits: int = 64_000, xing: str = "1") -> bytes:
    return encoded(sweep(first, last), "mp3", "libmp3lame", bits=bits, write_xing=xing)


def test_mp3_of_varying_bit_rate_without_xing_is_heard_to_its_end() -> None:
    """The first seconds have the highest bit rate: an estimate from it is far too short."""
    content = mp3(0, 3, bits=160_000, xing="0") + mp3(3, 30, bits=24_000, xing="0")
    assert heard_seconds(read_audio(content, RATE))[:30] == pytest.approx(list(range(30)), abs=1)


@pytest.mark.parametrize("form", ["MP3", "OGG", "FLAC"])
def test_two_files_in_one_are_both_heard(form: str) -> None:
    parts = [written(sweep(first, first + 5), form) for first in (0, 5)]
    if form == "MP3":
        parts[1] = b"ID3\x04\0\0\0\0\0\x0aTIT2" + b"\0" * 6 + parts[1]
    sound = read_audio(b"".join(parts), RATE)
    assert sum(map(len, sound.samples)) / RATE == pytest.approx(10, abs=0.2)
    heard = heard_seconds(sound)
    assert heard[:4] == [0, 1, 2, 3]
    assert {6, 7, 8} <= set(heard)


@pytest.mark.parametrize("form", ["WAV", "AIFF"])
def test_two_files_in_one_that_cannot_both_be_heard_are_refused(form: str) -> None:
    with pytest.raises(UnreadableError):
        read_audio(written(sweep(0, 2), form) * 2, RATE)


def test_raw_aac_is_counted_not_estimated() -> None:
    """Loud noise and then silence: the estimate from the first frames is too short."""
    noise = np.random.default_rng(0).uniform(-0.8, 0.8, 4 * RATE)
    content = encoded(np.concatenate([noise, np.zeros(8 * RATE)]), "adts", "aac")
    sound = read_audio(content, RATE)
    assert sum(map(len, sound.samples)) / RATE == pytest.approx(12, abs=0.2)
    assert sound.spans[-1][1] == pytest.approx(12, abs=0.2)


@pytest.mark.parametrize("name", ["song.mp3", "song.wav", "song.flac"])
def test_a_wrong_suffix_does_not_matter(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(encoded(sweep(0, 4), "mp4", "aac"))
    assert heard_seconds(read_audio(tmp_path / name, RATE))[:4] == [0, 1, 2, 3]


def test_a_streamed_flac_that_does_not_know_its_length_is_read() -> None:
    content = written(sweep(0, 4), "FLAC")
    unknown = patched(content, at_21=bytes([content[21] & 0xF0]) + b"\0" * 4)
    assert heard_seconds(read_audio(unknown, RATE)) == [0, 1, 2, 3]


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFF000, 0x80000000])
def test_a_wav_whose_recorder_died_is_read_to_its_end(size: int) -> None:
    whole = written(sweep(0, 4), "WAV")
    riff = struct.pack("<I", min(size + 36, 2**32 - 1) if size else 0)
    content = patched(whole, at_4=riff, at_40=struct.pack("<I", size))
    assert heard_seconds(read_audio(content, RATE)) == [0, 1, 2, 3]


def test_an_empty_wav_with_a_comment_has_no_sound() -> None:
    comment = b"LIST" + struct.pack("<I", 2000) + b"INFO" + b"x" * 1996
    empty = written(np.zeros(0, np.float32), "WAV")
    with pytest.raises(UnreadableError, match="no audio"):
        read_audio(patched(empty + comment, at_4=struct.pack("<I", len(empty + comment) - 8)), RATE)


def test_a_telephone_recording_is_read() -> None:
    gsm = read_audio(written(sweep(0, 4, 8000), "WAV", "GSM610", rate=8000), 8000)
    assert heard_seconds(gsm)[:4] == [0, 1, 2, 3]


def test_sound_that_turns_from_mono_to_stereo_is_read() -> None:
    mono, stereo = sweep(0, 3), np.stack([sweep(3, 6)] * 2)
    sound = read_audio(encoded(mono, "adts", "aac") + encoded(stereo, "adts", "aac"), RATE)
    heard = heard_seconds(sound)
    assert heard[:2] == [0, 1]
    assert heard[-2:] == [4, 5]


CUT = {
    "wav": lambda: written(sweep(0, 8), "WAV"),
    "rf64": lambda: written(sweep(0, 8), "RF64"),
    "w64": lambda: written(sweep(0, 8), "W64"),
    "aiff": lambda: written(sweep(0, 8), "AIFF"),
    "au": lambda: written(sweep(0, 8), "AU"),
    "caf": lambda: written(sweep(0, 8), "CAF"),
    "gsm": lambda: written(sweep(0, 8, 8000), "WAV", "GSM610", 8000),
    "adpcm": lambda: written(sweep(0, 8), "WAV", "IMA_ADPCM"),
    "flac": lambda: written(sweep(0, 8), "FLAC"),
    "m4a": lambda: encoded(sweep(0, 8), "mp4", "aac", movflags="faststart"),
    "mka": lambda: encoded(sweep(0, 8), "matroska", "flac"),
}


@pytest.mark.parametrize("kind", CUT)
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_file_that_has_less_than_its_header_promises_is_refused(kind: str, share: float) -> None:
    content = CUT[kind]()
    assert heard_seconds(read_audio(content, RATE))[:8] == list(range(8))
    with pytest.raises(UnreadableError, match=r"cut short|cannot be read"):
        read_audio(content[: int(share * len(content))], RATE)


def test_all_containers_mix_channels_alike() -> None:
    draw = np.random.default_rng(0)
    channels = np.stack([sweep(place, place + 3) for place in range(6)]) * draw.uniform(0.1, 0.9, (6, 1))
    expected = channels.mean(0)
    for content in (
        written(channels.T, "WAV", "FLOAT"),
        encoded(channels, "matroska", "pcm_f32le"),
        encoded(channels, "matroska", "flac"),
    ):
        found = np.concatenate(read_audio(content, RATE).samples)
        assert np.abs(found - expected).max() < 2e-4


@pytest.mark.parametrize("form", ["WAV", "OGG"])
def test_channels_that_cancel_each_other_are_heard(form: str) -> None:
    one = sweep(0, 4)
    sound = read_audio(written(np.stack([one, -one], 1), form), RATE)
    assert heard_seconds(sound) == [0, 1, 2, 3]
    assert np.abs(sound.samples[0]).max() > 0.3


def interleaved(samples: np.ndarray, channels: int) -> bytes:
    """The samples in each of the channels, as Matroska with PCM."""
    layout = f"{channels} channels"
    values = (samples * 2**15).astype(np.int16).repeat(channels)[None]
    with tempfile.NamedTemporaryFile() as file, av.open(file.name, "w", format="matroska") as opened:
        track = opened.add_stream("pcm_s16le", rate=RATE, layout=layout)
        frame = av.AudioFrame.from_ndarray(values, format="s16", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        opened.mux(track.encode(frame))
        opened.mux(track.encode(None))
        opened.close()
        return Path(file.name).read_bytes()


@pytest.mark.parametrize("channels", [2, 7, 8, 24, 64])
def test_many_channels_are_read_and_do_not_kill_the_process(channels: int) -> None:
    assert heard_seconds(read_audio(interleaved(sweep(0, 3), channels), RATE)) == [0, 1, 2]


@pytest.mark.parametrize("form", ["matroska", "wav"])
def test_more_than_64_channels_are_refused(form: str) -> None:
    many = sweep(0, 1)
    content = interleaved(many, 65) if form == "matroska" else written(np.stack([many] * 65, 1), "WAV")
    with pytest.raises(UnreadableError, match="16000 Hz and 65 channels cannot be right"):
        read_audio(content, RATE)


def test_channels_in_memory_that_cancel_each_other_are_heard() -> None:
    one = sweep(0, 2).astype(np.float32)
    np.testing.assert_array_equal(read_audio((np.stack([one, -one], 1), RATE), RATE).samples[0], one)


def test_floats_in_the_range_of_int16_are_scaled() -> None:
    one = sweep(0, 2)
    for content in (written(one * 32768, "WAV", "FLOAT"), ((one * 32768).astype(np.float32), RATE)):
        np.testing.assert_allclose(read_audio(content, RATE).samples[0], one, atol=1e-6)
    loud = written(one * 4, "WAV", "FLOAT")
    np.testing.assert_allclose(read_audio(loud, RATE).samples[0], one * 4, atol=1e-5)
    with pytest.raises(UnreadableError, match=r"\[-1, 1\]"):
        read_audio((one * 2.0**31, RATE), RATE)


@pytest.mark.parametrize("form", ["wav", "mp3", "mp3 without xing", "aac", "mka"])
@pytest.mark.slow
def test_windows_of_a_long_clip_are_at_their_seconds_in_every_format(form: str) -> None:
    """Amplitude tells the second: 140 s, of which twelve windows are read. LAME scales by .95."""
    seconds, rate = 140, 8000
    time = np.arange(seconds * rate) / rate
    wave = (np.floor(time) + 1) / 250 * np.sin(2 * np.pi * 440 * time)
    content = {
        "wav": lambda: written(wave, "WAV", rate=rate),
        "mp3": lambda: encoded(wave / 0.95, "mp3", "libmp3lame", rate=rate),
        "mp3 without xing": lambda: encoded(wave / 0.95, "mp3", "libmp3lame", rate=rate, write_xing="0"),
        "aac": lambda: encoded(wave, "adts", "aac", rate=rate),
        "mka": lambda: encoded(wave, "matroska", "flac", rate=rate),
    }[form]()
    sound = read_audio(content, rate)
    assert len(sound.samples) == MOST_WINDOWS
    assert sound.spans[-1][1] == pytest.approx(seconds, abs=0.2)
    for samples, (start, end) in zip(sound.samples, sound.spans, strict=True):
        assert end - start == pytest.approx(WINDOW_SECONDS, abs=0.01)
        loudness = np.sqrt(2 * np.mean(samples**2))
        assert loudness * 250 == pytest.approx((start + end) / 2 + 0.5, abs=1.5)


@pytest.mark.parametrize("name", ["a.m4a", "a.wav", "a.mp3"])
def test_lists_of_other_files_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """FFmpeg knows playlists: one named as a sound would read any file of the machine, or an address."""
    (tmp_path / "secret.wav").write_bytes(written(sweep(0, 1), "WAV"))
    monkeypatch.chdir(tmp_path)
    for content in (
        b"ffconcat version 1.0\nfile secret.wav\n",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:1.0,\nfile:secret.wav\n#EXT-X-ENDLIST\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    ):
        Path(name).write_bytes(content)
        with pytest.raises(UnreadableError):
            read_audio(Path(name), RATE)


class Failing(io.BytesIO):
    """A stream on a medium that breaks after ``last`` bytes."""

    def __init__(self, content: bytes, last: int) -> None:
        super().__init__(content)
        self.last = last

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > self.last:
            raise OSError(5, "Input/output error")
        return super().read(size)


class Breaking:
    """A source whose stream fails in the middle."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name, self.content = name, content

    def open(self) -> io.BytesIO:
        return Failing(self.content, len(self.content) // 2)


def test_a_stream_that_fails_is_refused_and_the_next_file_is_read(capfd: pytest.CaptureFixture[str]) -> None:
    """soundfile and PyAV print errors of a stream; PyAV may raise one while it reads the next file."""
    for name, content in (
        ("a.m4a", encoded(sweep(0, 20), "mp4", "aac", movflags="faststart")),
        ("a.wav", written(sweep(0, 20), "WAV")),
    ):
        with pytest.raises(UnreadableError, match=rf"{name}: cannot be read \(OSError: Input/output error\)"):
            read_audio(Breaking(name, content), RATE)
    assert heard_seconds(read_audio(encoded(sweep(0, 2), "mp4", "aac"), RATE))[:2] == [0, 1]
    assert capfd.readouterr() == ("", "")


def test_an_impossible_seek_of_a_damaged_file_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    content = written(sweep(0, 2), "AIFF")
    with pytest.raises(UnreadableError, match="has no audio"):
        read_audio(patched(content, **{f"at_{content.index(b'SSND')}": b"\0"}), RATE)
    assert capfd.readouterr() == ("", "")
