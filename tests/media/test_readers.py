"""Readers: images are upright, windows and frames are on time, points are in the unit sphere, errors name the file."""

import io
import itertools
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import trimesh
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import media_files
from isthmus.media import UnreadableError, read_audio, read_image, read_points, read_vector, read_video
from isthmus.media.readers.audio import MOST_WINDOWS, WINDOW_SECONDS, windows

CORNER = np.zeros((4, 6, 3), np.uint8)
CORNER[0, 0] = 255


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_as_their_camera_says(tmp_path: Path, orientation: int) -> None:
    undo = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a),
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(undo(CORNER))).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(np.asarray(read_image(tmp_path / "a.png")), CORNER)


def test_every_mode_becomes_rgb(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(ramp).save(tmp_path / "sixteen.png")
    found = np.asarray(read_image(tmp_path / "sixteen.png"))
    assert found.shape == (8, 8, 3)
    assert np.abs(found[..., 0].astype(int) - ramp // 257).max() <= 1
    for mode in ("1", "L", "LA", "P", "RGBA", "CMYK"):
        Image.new(mode, (5, 4)).save(tmp_path / "a.tiff")
        assert read_image(tmp_path / "a.tiff").mode == "RGB"


def png_claiming(width: int, height: int) -> bytes:
    """A png with a header that promises a size its data do not have."""
    small = io.BytesIO()
    Image.new("RGB", (1, 1)).save(small, "PNG")
    content = bytearray(small.getvalue())
    content[16:24] = struct.pack(">II", width, height)
    import zlib

    content[29:33] = struct.pack(">I", zlib.crc32(bytes(content[12:29])))
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "cannot be read"),
        (b"RIFF....WAVE", "cannot be read"),
        (png_claiming(100_000, 100_000), "pixels"),
        (png_claiming(20_000, 3), "too elongated"),
        (png_claiming(50, 50), "cannot be read"),
    ],
)
def test_broken_images_are_named(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "bad.png").write_bytes(content)
    with pytest.raises(UnreadableError, match=rf"bad\.png.*{says}"):
        read_image(tmp_path / "bad.png")


def test_a_truncated_image_is_not_half_read(tmp_path: Path) -> None:
    whole = media_files.write_image(tmp_path / "a.jpg", size=(200, 200)).read_bytes()
    (tmp_path / "a.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableError, match="truncated"):
        read_image(tmp_path / "a.jpg")


@given(st.floats(1e-4, 1e5))
def test_windows_cover_a_clip_evenly(duration: float) -> None:
    found = windows(duration)
    assert found == windows(duration)
    assert 1 <= len(found) <= MOST_WINDOWS
    assert found[0][0] == 0
    assert found[-1][1] == pytest.approx(duration)
    assert all(0 < end - start <= WINDOW_SECONDS * (1 + 1e-9) for start, end in found)
    if duration <= MOST_WINDOWS * WINDOW_SECONDS:
        assert all(a[1] == pytest.approx(b[0]) for a, b in itertools.pairwise(found))


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3"])
def test_a_tone_is_heard_in_every_format(tmp_path: Path, suffix: str) -> None:
    time = np.arange(44100) / 44100
    soundfile.write(tmp_path / f"a{suffix}", 0.5 * np.sin(2 * np.pi * 440 * time), 44100)
    sound = read_audio(tmp_path / f"a{suffix}", 16000)
    samples = sound.samples[0]
    assert samples.dtype == np.float32
    assert len(samples) == pytest.approx(16000, rel=0.08)
    spectrum = np.abs(np.fft.rfft(samples[2000:14000] * np.hanning(12000)))
    assert spectrum.argmax() * 16000 / 12000 == pytest.approx(440, abs=2)


def test_resampling_keeps_a_tone(tmp_path: Path) -> None:
    for own in (44100, 8000, 11025):
        time = np.arange(own) / own
        soundfile.write(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 300 * time), own, subtype="FLOAT")
        samples = read_audio(tmp_path / "a.wav", 16000).samples[0]
        expected = 0.5 * np.sin(2 * np.pi * 300 * np.arange(16000) / 16000)
        assert np.abs(samples - expected)[400:-400].max() < 2e-3


def test_channels_are_averaged(tmp_path: Path) -> None:
    both = np.stack([np.full(8000, 0.5), np.full(8000, -0.25)], 1)
    soundfile.write(tmp_path / "a.wav", both, 8000, subtype="FLOAT")
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav", 8000).samples[0], 0.125)


def test_windows_of_a_long_clip_are_at_their_seconds(tmp_path: Path) -> None:
    rate = 1000
    seconds = np.repeat(np.arange(200), rate) / 1000
    soundfile.write(tmp_path / "a.wav", seconds.astype(np.float32), rate, subtype="FLOAT")
    sound = read_audio(tmp_path / "a.wav", rate)
    assert len(sound.samples) == MOST_WINDOWS
    for samples, (start, end) in zip(sound.samples, sound.spans, strict=True):
        assert end - start == pytest.approx(10, abs=1e-3)
        assert samples[0] * 1000 == pytest.approx(np.floor(start + 1e-9), abs=1)


def test_audio_of_a_video_is_its_sound_track(tmp_path: Path) -> None:
    path = media_files.write_video(tmp_path / "v.mp4", seconds=3)
    samples = read_audio(path, 16000).samples[0]
    expected = media_files.tones(3, 16000)
    assert len(samples) == pytest.approx(len(expected), rel=0.05)
    shift = np.correlate(samples[2000:6000], expected[3000:5000], "valid").argmax() - 1000
    aligned = samples[3000 + shift : 5000 + shift]
    assert np.corrcoef(aligned, expected[3000:5000])[0, 1] > 0.98


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_not_finite_are_refused(tmp_path: Path, bad: float) -> None:
    samples = np.zeros(8000, np.float32)
    samples[100] = bad
    soundfile.write(tmp_path / "a.wav", samples, 8000, subtype="FLOAT")
    with pytest.raises(UnreadableError, match="NaN or infinite"):
        read_audio(tmp_path / "a.wav", 8000)


def test_broken_audio_is_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "empty.wav", np.zeros(0, np.float32), 8000)
    media_files.write_image(tmp_path / "picture.png").rename(tmp_path / "picture.wav")
    media_files.write_video(tmp_path / "mute.mp4", seconds=1, audio_rate=None)
    (tmp_path / "nothing.m4a").write_bytes(b"")
    for name in ("empty.wav", "picture.wav", "mute.mp4", "nothing.m4a", "absent.wav"):
        with pytest.raises(UnreadableError, match=name.replace(".", r"\.")):
            read_audio(tmp_path / name, 8000)


def test_frames_come_from_the_middle_of_equal_parts(tmp_path: Path) -> None:
    """Each frame is brighter than the one before by 2, so its shade tells its number."""
    video = read_video(media_files.write_video(tmp_path / "v.mp4", seconds=4, rate=25), 8)
    expected = (np.arange(8) + 0.5) * 4 / 8
    assert video.frames.shape == (8, 64, 64, 3)
    assert np.abs(video.seconds - expected).max() <= 1 / 25
    shown = video.frames.mean((1, 2, 3)) / 2
    assert np.abs(shown - video.seconds * 25).max() < 3
    assert video.duration == pytest.approx(4, abs=0.05)


def test_a_video_of_fewer_frames_repeats_them(tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "v.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=1)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for _ in range(2):
            picture = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 99, np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    assert read_video(tmp_path / "v.mp4", 8).frames.shape == (8, 32, 32, 3)


def test_a_truncated_video_gives_frames_or_is_named(tmp_path: Path) -> None:
    whole = media_files.write_video(tmp_path / "v.mp4").read_bytes()
    for share in (0.1, 0.5, 0.9):
        (tmp_path / "cut.mp4").write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(UnreadableError, match=r"cut\.mp4"):
            read_video(tmp_path / "cut.mp4", 4)


def test_every_form_of_a_cloud_is_the_same_cloud(tmp_path: Path) -> None:
    points = np.random.default_rng(0).standard_normal((500, 3)).astype(np.float32)
    np.save(tmp_path / "a.npy", points)
    np.savez(tmp_path / "a.npz", xyz=points, other=np.zeros(3))
    trimesh.PointCloud(points).export(tmp_path / "a.ply")
    (tmp_path / "a.obj").write_text("".join(f"v {x} {y} {z}\n" for x, y, z in points))
    expected = points - points.mean(0)
    expected /= np.linalg.norm(expected, axis=1).max()
    for suffix in (".npy", ".npz", ".ply"):
        np.testing.assert_allclose(read_points(tmp_path / f"a{suffix}", 1000), expected, atol=1e-6)


@pytest.mark.parametrize("suffix", [".ply", ".off", ".obj", ".glb"])
def test_meshes_are_sampled_on_their_surface(tmp_path: Path, suffix: str) -> None:
    trimesh.creation.box((2, 2, 2)).export(tmp_path / f"box{suffix}")
    points = read_points(tmp_path / f"box{suffix}", 4000)
    assert points.shape == (4000, 3)
    assert np.array_equal(points, read_points(tmp_path / f"box{suffix}", 4000))
    outermost = np.abs(points).max(1)
    assert np.std(outermost) < 0.02
    share = [(np.abs(points).argmax(1) == axis).mean() for axis in range(3)]
    assert share == pytest.approx([1 / 3] * 3, abs=0.04)


def test_a_large_cloud_is_thinned_the_same_every_time(tmp_path: Path) -> None:
    path = media_files.write_cloud(tmp_path / "a.npy", 100_000)
    found = read_points(path, 10_000)
    assert len(found) == len(np.unique(found, axis=0)) == 10_000
    assert np.array_equal(found, read_points(path, 10_000))


def lying_npy(shape: tuple[int, ...]) -> bytes:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return header.getvalue() + b"\0" * 120


def test_broken_point_clouds_are_named(tmp_path: Path) -> None:
    np.save(tmp_path / "nan.npy", np.full((50, 3), np.nan))
    np.save(tmp_path / "one_place.npy", np.ones((50, 3)))
    np.save(tmp_path / "flat.npy", np.ones((50, 2)))
    np.save(tmp_path / "objects.npy", np.array([{}, []], dtype=object), allow_pickle=True)
    (tmp_path / "lying.npy").write_bytes(lying_npy((2**40, 3)))
    with zipfile.ZipFile(tmp_path / "lying.npz", "w") as archive:
        archive.writestr("points.npy", lying_npy((2**40, 3)))
    (tmp_path / "lying.ply").write_bytes(
        b"ply\nformat binary_little_endian 1.0\nelement vertex 4000000000\n"
        b"property float x\nproperty float y\nproperty float z\nend_header\n" + b"\0" * 120
    )
    for suffix in (".ply", ".off", ".obj", ".glb", ".npz", ".npy"):
        (tmp_path / f"noise{suffix}").write_bytes(np.random.default_rng(0).bytes(500))
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(UnreadableError, match=path.name.replace(".", r"\.")):
            read_points(path, 1000)


@pytest.mark.parametrize("shape", [(4, 16), (2, 3, 4), ()])
def test_an_array_of_several_vectors_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UnreadableError):
        read_vector(np.ones(shape))
    for fine in ((16,), (1, 16), (16, 1)):
        assert read_vector(np.ones(fine)).shape == (16,)
