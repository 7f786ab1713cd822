"""The built-in families; a family exists once ``pyproject.toml`` lists it under ``isthmus.spaces`` (docs/embed.md).

Revisions are commits of the hub; no encoder is imported here.
"""

from __future__ import annotations

from dataclasses import replace

from isthmus.spaces.protocol import Family

EMBED = "isthmus[embed]"

CLIP = Family(
    name="clip",
    title="CLIP ViT-B/32",
    modalities=("text", "image"),
    dim=512,
    licence="MIT",
    checkpoint="openai/clip-vit-base-patch32",
    revision="3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268",
    needs=("transformers",),
    extra=EMBED,
    loader="isthmus.spaces.encoders.clip:load",
)
SIGLIP = Family(
    name="siglip2",
    title="SigLIP 2 base, 224 pixels",
    modalities=("text", "image"),
    dim=768,
    licence="Apache-2.0",
    checkpoint="google/siglip2-base-patch16-224",
    revision="75de2d55ec2d0b4efc50b3e9ad70dba96a7b2fa2",
    needs=("transformers",),
    extra=EMBED,
    loader="isthmus.spaces.encoders.siglip:load",
)
CLAP = Family(
    name="clap",
    title="LAION CLAP, any audio",
    modalities=("text", "audio"),
    dim=512,
    licence="Apache-2.0",
    checkpoint="laion/clap-htsat-unfused",
    revision="8fa0f1c6d0433df6e97c127f64b2a1d6c0dcda8a",
    needs=("transformers",),
    extra=EMBED,
    loader="isthmus.spaces.encoders.clap:load",
)
CLAP_GENERAL = replace(
    CLAP,
    name="clap-general",
    title="LAION larger CLAP, any audio",
    checkpoint="laion/larger_clap_general",
    revision="ada0c23a36c4e8582805bb38fec3905903f18b41",
)
CLAP_MUSIC = replace(
    CLAP,
    name="clap-music",
    title="LAION larger CLAP, music",
    checkpoint="laion/larger_clap_music",
    revision="a0b4534a14f58e20944452dff00a22a06ce629d1",
)
XCLIP = Family(
    name="xclip",
    title="X-CLIP base, 8 frames",
    modalities=("text", "video"),
    dim=512,
    licence="MIT",
    checkpoint="microsoft/xclip-base-patch32",
    revision="a2e27a78a2b5d802e894b8a1ef14f3a8ce490963",
    needs=("transformers", "av"),
    extra=EMBED,
    loader="isthmus.spaces.encoders.xclip:load",
)
SENTENCE = Family(
    name="sentence",
    title="Sentence-transformers, MiniLM-L6",
    modalities=("text",),
    dim=384,
    licence="Apache-2.0",
    checkpoint="sentence-transformers/all-MiniLM-L6-v2",
    revision="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
    needs=("sentence_transformers",),
    extra="isthmus[sentence]",
    loader="isthmus.spaces.encoders.sentence:load",
)
ULIP = Family(
    name="ulip",
    title="ULIP / ULIP-2 PointBERT (points only)",
    modalities=("points",),
    dim=512,
    licence="BSD-3-Clause",
    checkpoint="",
    revision="",
    needs=("trimesh",),
    extra=EMBED,
    loader="isthmus.spaces.encoders.ulip:load",
)
PRECOMPUTED = Family(
    name="precomputed",
    title="Vectors made elsewhere, one .npy file per item",
    modalities=("text", "image", "audio", "video", "points"),
    dim=None,
    licence="that of their encoder",
    checkpoint="",
    revision="",
    needs=(),
    extra="isthmus",
    loader="isthmus.spaces.encoders.precomputed:load",
    kind="vector",
)
