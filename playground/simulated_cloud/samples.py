"""Samples that jobs are made of: projects with their file names and prompts, and errors of nodes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

INPUT_SECRET = "partner-key-5f1d0c77e2b94a0e-do-not-show"  # noqa: S105 - made up, for leak tests to find
"""A key in `current_inputs` of some failures, as in real ones. It must never be shown or saved."""


class Failure(NamedTuple):
    """One way to fail. `inputs` are those of the node."""

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
    """Build the ExecutionError of failure number `kind`, with the job's prompt among the node's inputs."""
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


class Project(NamedTuple):
    """One workflow that is used again and again. A run takes `seconds` and gives at most `batch` files."""

    name: str
    stems: tuple[str, ...]
    prompt: str
    checkpoint: str = "sd_xl_base_1.0.safetensors"
    extension: str = "png"
    media: str = "images"
    sizes: tuple[tuple[int, int], ...] = ((1024, 1024),)
    seconds: tuple[int, int] = (6, 60)
    batch: int = 4


PROJECTS: tuple[Project, ...] = (
    Project(
        "Coast studies",
        ("ocean_ridge", "ocean_ridge_wide", "tide_pools", "basalt_cliffs"),
        "aerial photograph of a basalt ridge in a dark ocean, long exposure, overcast, muted teal",
        sizes=((1344, 768), (1536, 640)),
    ),
    Project(
        "Mira - children's book",
        ("mira_p04_kitchen", "mira_p05_rain_boots", "mira_p11_moon", "mira_cover"),
        "gouache illustration, a small girl in yellow rain boots in a warm kitchen, paper texture",
        checkpoint="flux1-dev-fp8.safetensors",
        sizes=((1024, 1280), (896, 1152)),
    ),
    Project(
        "Product shots (lamp)",
        ("lamp_hero", "lamp_side", "lamp_detail_brass"),
        "studio photograph of a brass desk lamp on grey paper, softbox from the left, 85mm",
        checkpoint="flux1-dev-fp8.safetensors",
        batch=8,
    ),
    Project(
        "Portrait relight v3",
        ("portrait_relight", "portrait_relight_rim", "anna_headshot"),
        "portrait of a woman in her sixties, window light, subtle rim light, natural skin",
        checkpoint="juggernautXL_v9Rdphoto2Lightning.safetensors",
        sizes=((832, 1216),),
        batch=2,
    ),
    Project(
        "Wan 2.2 image to video",
        ("wan22_sail", "wan22_walk_cycle", "wan22_fog"),
        "a sailing boat turns into the wind, spray, handheld camera, 24 fps",
        checkpoint="wan2.2_i2v_high_noise_14B_fp8_scaled.safetensors",
        extension="mp4",
        media="gifs",
        sizes=((1280, 720), (720, 1280)),
        seconds=(95, 540),
        batch=1,
    ),
    Project(
        "Storyboard ep. 3",
        ("sb_e03_s12", "sb_e03_s13", "sb_e03_s14_alt"),
        "ink storyboard panel, wide shot, two people on a railway platform at night, strong shadows",
        sizes=((1216, 512),),
        seconds=(3, 14),
        batch=6,
    ),
    Project(
        "Upscale x4 (Ultimate SD)",
        ("upscaled", "upscaled_print_A2"),
        "highly detailed, sharp",
        sizes=((4096, 4096), (3072, 4096)),
        seconds=(70, 300),
        batch=1,
    ),
    Project(
        "Qwen edit: remove background",
        ("cutout", "cutout_soft_edge"),
        "remove the background, keep the hair detail",
        checkpoint="qwen_image_edit_2509_fp8_e4m3fn.safetensors",
        seconds=(5, 25),
        batch=1,
    ),
    Project(
        "Ambient loops",
        ("ambient_rain_loop", "ambient_engine_room"),
        "slow ambient drone, distant rain on a tin roof, no drums, 72 bpm",
        checkpoint="stable-audio-open-1.0.safetensors",
        extension="mp3",
        media="audio",
        sizes=((0, 0),),
        seconds=(12, 40),
        batch=2,
    ),
    Project(
        "Hunyuan3D props",
        ("prop_teapot", "prop_crate_low", "prop_street_sign"),
        "a dented enamel teapot, game asset, clean topology",
        checkpoint="hunyuan3d-dit-v2-mv.safetensors",
        extension="glb",
        media="3d",
        sizes=((0, 0),),
        seconds=(30, 120),
        batch=1,
    ),
    Project(
        "Unsaved Workflow",
        ("ComfyUI", "ComfyUI_temp_abxqe"),
        "beautiful scenery nature glass bottle landscape, , purple galaxy bottle,",
        checkpoint="v1-5-pruned-emaonly-fp16.safetensors",
        sizes=((512, 512), (768, 512)),
        seconds=(2, 9),
    ),
    Project(
        "Tarot deck / major arcana",
        ("tarot_00_fool", "tarot_09_hermit", "tarot_16_tower", "tarot_18_moon"),
        "tarot card, art nouveau border, the hermit with a lantern on a snowy ridge, gold ink",
        sizes=((768, 1344),),
        batch=4,
    ),
)

# Names that a careless page would render, reorder or cut. All are valid file names on Linux.
ODD_STEMS: tuple[str, ...] = (
    "<b>final</b> & <i>approved</i>",
    "غروب_الشمس_على_البحر",
    '"><img src=x onerror=alert(1)>',
    "very_long_name_" + "seamless_texture_of_moss_on_wet_granite_" * 4 + "v17",
    "שקיעה מעל הנמל",
    "海辺の町_夕焼け",
    "invoice\u202egnp.exe",
    "été à la montagne ☀️ 🏔️",
    "{{constructor.constructor('return 1')()}}",
    "%2e%2e%2fmoodboard 100% #3?",
    "   spaces   inside   ",
)
