"""Stand-ins for nodes that ComfyUI or other packs offer: two that run, and those that are only drawn.

Only drawn are the nodes of ComfyUI's default graph and of the simulated jobs' workflows, so that these open without
missing nodes. Running one raises an error that says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

NodeClass = type[Any]


class AnyType(str):
    """The type `*`, which equals every other type."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


class PrimitiveString:
    """ComfyUI's node that gives one text."""

    CATEGORY = "utils/primitive"
    RETURN_TYPES = ("STRING",)
    FUNCTION = "give"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """Declare the text."""
        return {"required": {"value": ("STRING", {"default": ""})}}

    def give(self, value: str) -> tuple[str]:
        """Return the text unchanged."""
        return (value,)


class PreviewAny:
    """ComfyUI's node that shows any value as text."""

    CATEGORY = "utils"
    RETURN_TYPES = ()
    FUNCTION = "show"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """Declare the value."""
        return {"required": {"source": (AnyType("*"), {})}}

    def show(self, source: object = None) -> dict[str, Any]:
        """Show a text unchanged and any other value as JSON."""
        text = source if isinstance(source, str) else json.dumps(source, default=str)
        return {"ui": {"text": (text,)}}


class DrawnNode(NamedTuple):
    """A node that is only drawn. `inputs` are as in INPUT_TYPES, and one without outputs may start a run."""

    title: str
    category: str
    inputs: Mapping[str, Any]
    outputs: tuple[str, ...] = ()


def _number(default: float, low: float, high: float, step: float = 1) -> tuple[str, dict[str, Any]]:
    kind = "INT" if isinstance(default, int) else "FLOAT"
    return kind, {"default": default, "min": low, "max": high, "step": step}


def _choice(*names: str) -> tuple[list[str], dict[str, Any]]:
    return list(names), {}


def _text(default: str = "") -> tuple[str, dict[str, Any]]:
    return "STRING", {"default": default}


_MODEL, _CLIP, _VAE, _LATENT, _IMAGE = (
    (name, dict[str, Any]()) for name in ("MODEL", "CLIP", "VAE", "LATENT", "IMAGE")
)
_CONDITIONING = ("CONDITIONING", dict[str, Any]())
_SIZE = _number(1024, 16, 16384, 8)
_BATCH = _number(1, 1, 4096)
_PREFIX = _text("ComfyUI")
_STRENGTH = _number(1.0, -100.0, 100.0, 0.01)
# The names that the workflows of the simulated jobs have, because a frontend marks other names as missing models.
_CHECKPOINTS = (
    "v1-5-pruned-emaonly-fp16.safetensors",
    "sd_xl_base_1.0.safetensors",
    "flux1-dev-fp8.safetensors",
    "juggernautXL_v9Rdphoto2Lightning.safetensors",
    "wan2.2_i2v_high_noise_14B_fp8_scaled.safetensors",
    "qwen_image_edit_2509_fp8_e4m3fn.safetensors",
    "stable-audio-open-1.0.safetensors",
    "hunyuan3d-dit-v2-mv.safetensors",
)
_LORAS = tuple(f"style_{number:03d}_rank{rank}.safetensors" for number in range(400) for rank in (16, 32, 64))

DRAWN: dict[str, DrawnNode] = {
    "CheckpointLoaderSimple": DrawnNode(
        "Load Checkpoint", "loaders", {"ckpt_name": _choice(*_CHECKPOINTS)}, ("MODEL", "CLIP", "VAE")
    ),
    "UNETLoader": DrawnNode(
        "Load Diffusion Model",
        "advanced/loaders",
        {"unet_name": _choice("z_image_turbo_bf16.safetensors"), "weight_dtype": _choice("default")},
        ("MODEL",),
    ),
    "CLIPLoader": DrawnNode(
        "Load CLIP",
        "advanced/loaders",
        {
            "clip_name": _choice("qwen_3_4b.safetensors"),
            "type": _choice("lumina2"),
            "device": _choice("default", "cpu"),
        },
        ("CLIP",),
    ),
    "VAELoader": DrawnNode("Load VAE", "loaders", {"vae_name": _choice("ae.safetensors")}, ("VAE",)),
    "LoraLoader": DrawnNode(
        "Load LoRA",
        "loaders",
        {
            "model": _MODEL,
            "clip": _CLIP,
            "lora_name": _choice(*_LORAS),
            "strength_model": _STRENGTH,
            "strength_clip": _STRENGTH,
        },
        ("MODEL", "CLIP"),
    ),
    "ModelSamplingAuraFlow": DrawnNode(
        "ModelSamplingAuraFlow",
        "advanced/model",
        {"model": _MODEL, "shift": _number(1.73, 0.0, 100.0, 0.01)},
        ("MODEL",),
    ),
    "CLIPTextEncode": DrawnNode(
        "CLIP Text Encode (Prompt)",
        "conditioning",
        {"text": ("STRING", {"multiline": True, "dynamicPrompts": True}), "clip": _CLIP},
        ("CONDITIONING",),
    ),
    "EmptyLatentImage": DrawnNode(
        "Empty Latent Image", "latent", {"width": _SIZE, "height": _SIZE, "batch_size": _BATCH}, ("LATENT",)
    ),
    "EmptySD3LatentImage": DrawnNode(
        "EmptySD3LatentImage", "latent/sd3", {"width": _SIZE, "height": _SIZE, "batch_size": _BATCH}, ("LATENT",)
    ),
    "KSampler": DrawnNode(
        "KSampler",
        "sampling",
        {
            "model": _MODEL,
            "seed": ("INT", {"default": 0, "min": 0, "max": 2**64 - 1, "control_after_generate": True}),
            "steps": _number(20, 1, 10000),
            "cfg": _number(8.0, 0.0, 100.0, 0.1),
            "sampler_name": _choice("euler", "dpmpp_2m", "res_multistep"),
            "scheduler": _choice("normal", "simple", "karras", "beta"),
            "positive": _CONDITIONING,
            "negative": _CONDITIONING,
            "latent_image": _LATENT,
            "denoise": _number(1.0, 0.0, 1.0, 0.01),
        },
        ("LATENT",),
    ),
    "VAEDecode": DrawnNode("VAE Decode", "latent", {"samples": _LATENT, "vae": _VAE}, ("IMAGE",)),
    "VAEDecodeAudio": DrawnNode("VAE Decode Audio", "latent/audio", {"samples": _LATENT, "vae": _VAE}, ("AUDIO",)),
    "VAEDecodeHunyuan3D": DrawnNode("VAE Decode Hunyuan3D", "latent/3d", {"samples": _LATENT, "vae": _VAE}, ("MESH",)),
    "SaveImage": DrawnNode("Save Image", "image", {"images": _IMAGE, "filename_prefix": _PREFIX}),
    "SaveAudioMP3": DrawnNode("Save Audio (MP3)", "audio", {"audio": ("AUDIO", {}), "filename_prefix": _PREFIX}),
    "SaveGLB": DrawnNode("Save GLB", "3d", {"mesh": ("MESH", {}), "filename_prefix": _PREFIX}),
    "VHS_VideoCombine": DrawnNode("Video Combine", "video", {"images": _IMAGE, "filename_prefix": _PREFIX}),
}

# Frontend 1.27 looks these up when it draws any of the loaders above, and fails if one is missing.
DRAWN |= {
    name: DrawnNode(title, "loaders", {**({"model": _MODEL} if output == "MODEL" else {}), file: _choice()}, (output,))
    for name, title, file, output in (
        ("ControlNetLoader", "Load ControlNet Model", "control_net_name", "CONTROL_NET"),
        ("GLIGENLoader", "Load GLIGEN", "gligen_name", "GLIGEN"),
        ("ImageOnlyCheckpointLoader", "Load Checkpoint (Image Only)", "ckpt_name", "CLIP_VISION"),
        ("LoraLoaderModelOnly", "Load LoRA (Model)", "lora_name", "MODEL"),
        ("StyleModelLoader", "Load Style Model", "style_model_name", "STYLE_MODEL"),
        ("UpscaleModelLoader", "Load Upscale Model", "model_name", "UPSCALE_MODEL"),
    )
}


def _drawn(name: str, drawn: DrawnNode) -> NodeClass:
    """Make the node class. Its function raises NotImplementedError."""

    def run(self: object, **inputs: object) -> None:
        raise NotImplementedError(
            f"“{drawn.title}” ({name}) is only drawn here. The playground runs the nodes of this pack; to run this "
            "workflow, use your own ComfyUI: python3 dev.py play --comfyui DIR"
        )

    contents = {
        "CATEGORY": drawn.category,
        "RETURN_TYPES": drawn.outputs,
        "FUNCTION": "run",
        "OUTPUT_NODE": not drawn.outputs,
        "INPUT_TYPES": classmethod(lambda cls: {"required": dict(drawn.inputs)}),
        "run": run,
    }
    return type(name, (), contents)


NODE_CLASSES: dict[str, NodeClass] = {
    "PrimitiveString": PrimitiveString,
    "PreviewAny": PreviewAny,
    **{name: _drawn(name, drawn) for name, drawn in DRAWN.items()},
}
DISPLAY_NAMES = {
    "PrimitiveString": "String",
    "PreviewAny": "Preview as Text",
    **{name: drawn.title for name, drawn in DRAWN.items()},
}
