"""What simulated artists work on: their workflows, file names and prompts."""

from __future__ import annotations

from typing import NamedTuple


class Project(NamedTuple):
    """One workflow somebody uses again and again. `seconds`: how long a run takes; `batch`: files of a run, at most."""

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

# Names which a careless page would render, reorder, cut or spill. All are possible file names on Linux.
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
