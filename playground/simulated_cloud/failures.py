"""The ways simulated jobs fail: node, message and traceback, as an artist would meet them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

INPUT_SECRET = "partner-key-5f1d0c77e2b94a0e-do-not-show"  # noqa: S105 - made up, for leak tests to find
"""Stands in `current_inputs` of some failures, as real keys do. Whoever shows or saves it has leaked."""


class Failure(NamedTuple):
    """One way to fail. `inputs` is what the node was given."""

    node_id: str
    node_type: str
    exception_type: str
    message: str
    frames: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = MappingProxyType({})


FAILURES: tuple[Failure, ...] = (
    Failure(
        "3",
        "KSampler",
        "torch.OutOfMemoryError",
        "Allocation on device 0 would exceed allowed memory. Tried to allocate 18.00 GiB. GPU 0 has a total "
        "capacity of 47.53 GiB of which 11.27 GiB is free.",
        (
            "sampling/denoise.py:218 in run_steps",
            "models/unet.py:902 in forward",
            "models/attention.py:341 in attend",
        ),
        {"seed": [720461288], "steps": [40], "cfg": [7.5], "latent_image": ["[1, 4, 512, 512]"]},
    ),
    Failure(
        "14",
        "ControlNetApplyAdvanced",
        "RuntimeError",
        "mat1 and mat2 shapes cannot be multiplied (308x768 and 2048x320)",
        ("conditioning/controlnet.py:77 in apply", "models/linear.py:125 in forward"),
        {"strength": [0.85], "start_percent": [0.0], "end_percent": [0.7]},
    ),
    Failure(
        "10",
        "LoadImage",
        "FileNotFoundError",
        "[Errno 2] No such file or directory: '/inputs/client_refs/moodboard final FINAL (2).jpg'",
        ("images/loading.py:40 in open_image",),
        {"image": ["client_refs/moodboard final FINAL (2).jpg"]},
    ),
    Failure(
        "4",
        "CheckpointLoaderSimple",
        "safetensors_rust.SafetensorError",
        "Error while deserializing header: incomplete metadata, file not fully covered",
        ("models/loading.py:61 in read_weights",),
        {"ckpt_name": ["juggernautXL_v9Rdphoto2Lightning.safetensors"]},
    ),
    Failure(
        "22",
        "KlingImage2VideoNode",
        "Exception",
        "The provider refused this request: the picture may show a real person. Change the picture or the prompt and "
        "try again.",
        ("partners/kling.py:310 in wait_for_video", "partners/polling.py:88 in poll"),
        {"model_name": ["kling-v2-1-master"], "duration": ["5"], "api_key_comfy_org": [INPUT_SECRET]},
    ),
    Failure(
        "31",
        "VHS_VideoCombine",
        "BrokenPipeError",
        "[Errno 32] Broken pipe\nffmpeg stderr: [libx264 @ 0x55d0c2] height not divisible by 2 (1216x831)",
        ("video/combine.py:512 in combine_video", "video/ffmpeg.py:93 in feed"),
        {"frame_rate": [24], "format": ["video/h264-mp4"], "crf": [19]},
    ),
    Failure(
        "7",
        "CLIPTextEncode",
        "UnicodeEncodeError",
        "'utf-8' codec can't encode character '\\ud83d' in position 41: surrogates not allowed",
        ("text/tokenize.py:29 in encode",),
    ),
    Failure(
        "18",
        "PreviewText",
        "ValueError",
        "could not convert <script>alert('title')</script> & <b>\"bold\"</b> to a number",
        ("text/number.py:12 in parse",),
        {"text": ["<script>alert('title')</script> & <b>\"bold\"</b>"]},
    ),
    Failure(
        "45",
        "UltimateSDUpscale",
        "RuntimeError",
        "Given groups=1, weight of size [320, 4, 3, 3], expected input[1, 16, 128, 128] to have 4 channels, but got 16 "
        "channels instead. " + "Tile (12, 7) of 64 was skipped after three attempts. " * 24,
        ("upscale/tiles.py:204 in upscale_tile",) * 14,
        {"tile_width": [512], "tile_height": [512], "upscale_by": [4.0]},
    ),
    Failure("6", "OpenAIGPTImage1", "asyncio.exceptions.TimeoutError", "", ()),
)


def execution_error(kind: int, prompt: str) -> dict[str, Any]:
    """The ExecutionError object of failure number `kind`, with the job's prompt among the node's inputs."""
    failure = FAILURES[kind % len(FAILURES)]
    return {
        "node_id": failure.node_id,
        "node_type": failure.node_type,
        "exception_message": failure.message,
        "exception_type": failure.exception_type,
        "traceback": [_frame(frame) for frame in failure.frames],
        "current_inputs": {"text": [prompt], **failure.inputs} if failure.frames else {},
        "current_outputs": {"4": [["<model>"]]} if failure.frames else {},
    }


def _frame(frame: str) -> str:
    place, _, function = frame.partition(" in ")
    path, _, line = place.partition(":")
    return f'  File "/opt/worker/{path}", line {line}, in {function}\n'
