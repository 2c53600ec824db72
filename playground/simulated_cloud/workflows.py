"""The workflows and outputs of jobs, made on demand, because keeping them would take a gigabyte."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .jobs import SimulatedJob

SAVE_NODES = {"images": "SaveImage", "gifs": "VHS_VideoCombine", "audio": "SaveAudioMP3", "3d": "SaveGLB"}
MEDIA_TYPES = {"images": "images", "gifs": "video", "audio": "audio", "3d": "model"}
SAVE_NODE_ID = "9"


def preview_of(job: SimulatedJob) -> dict[str, Any] | None:
    """Return the `preview_output` of a job, which is its first file, or None."""
    if not job.files:
        return None
    return {**_file(job.files[0]), "nodeId": SAVE_NODE_ID, "mediaType": MEDIA_TYPES[job.media]}


def outputs_of(job: SimulatedJob) -> dict[str, Any]:
    """Return the `outputs` of a job: all its files, by the node that saved them."""
    if not job.files:
        return {}
    return {SAVE_NODE_ID: {job.media: [_file(name) for name in job.files]}}


def workflow_of(job: SimulatedJob) -> dict[str, Any]:
    """Return the graph of a job, 10 to 100 KB as JSON, with its API key redacted as the service does."""
    source = random.Random(job.id)
    prompt = _prompt(job, source)
    return {
        "prompt": prompt,
        "extra_data": {
            "api_key_comfy_org": "[REDACTED]",
            "extra_pnginfo": {"workflow": _canvas(job, prompt, source)},
        },
    }


def _file(name: str) -> dict[str, Any]:
    return {"filename": name, "subfolder": "", "type": "output"}


def _node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs, "_meta": {"title": class_type}}


def _prompt(job: SimulatedJob, source: random.Random) -> dict[str, Any]:
    """Return the graph in API form: text to picture, with a varying number of LoRAs."""
    nodes = {
        "4": _node("CheckpointLoaderSimple", ckpt_name=job.checkpoint),
        "5": _node("EmptyLatentImage", width=job.width, height=job.height, batch_size=max(1, len(job.files))),
        "7": _node("CLIPTextEncode", text="blurry, watermark, extra fingers", clip=["4", 1]),
    }
    model = "4"
    for number in range(20, 20 + source.randint(4, 24)):
        strength = round(source.uniform(0.1, 1.2), 2)
        name = f"style_{source.randrange(400):03d}_rank{source.choice((16, 32, 64))}.safetensors"
        nodes[str(number)] = _node(
            "LoraLoader",
            lora_name=name,
            strength_model=strength,
            strength_clip=strength,
            model=[model, 0],
            clip=[model, 1],
        )
        model = str(number)
    nodes["6"] = _node("CLIPTextEncode", text=job.prompt, clip=[model, 1])
    nodes["3"] = _node(
        "KSampler",
        seed=source.getrandbits(50),
        steps=source.choice((8, 20, 28, 40)),
        cfg=source.choice((1.0, 3.5, 7.0)),
        sampler_name=source.choice(("euler", "dpmpp_2m", "res_multistep")),
        scheduler=source.choice(("normal", "karras", "beta")),
        denoise=1.0,
        model=[model, 0],
        positive=["6", 0],
        negative=["7", 0],
        latent_image=["5", 0],
    )
    nodes["8"] = _node("VAEDecode", samples=["3", 0], vae=["4", 2])
    nodes[SAVE_NODE_ID] = _node(SAVE_NODES[job.media], filename_prefix=_prefix(job), images=["8", 0])
    return nodes


def _prefix(job: SimulatedJob) -> str:
    return job.files[0].rsplit("_", 2)[0] if job.files else "ComfyUI"


def _canvas(job: SimulatedJob, prompt: dict[str, Any], source: random.Random) -> dict[str, Any]:
    """Return the graph as the canvas saves it, with notes.

    It has every field that ComfyUI's frontend checks when it opens a workflow.
    """
    nodes = [
        _canvas_node(
            int(number),
            node["class_type"],
            (source.randrange(4000), source.randrange(2400)),
            (315, source.randrange(58, 480)),
            [value for value in node["inputs"].values() if not isinstance(value, list)],
        )
        for number, node in prompt.items()
    ]
    for number in range(100, 100 + source.randint(20, 180)):
        seed = source.getrandbits(50)
        note = f"seed {seed}: {source.choice(('keep', 'too dark', 'ask the client', 'better hands', 'print'))}"
        text = f"{note}\n{job.prompt}"
        nodes.append(_canvas_node(number, "Note", (number * 40, -600), (210, 88), [text]))
    return {
        **({"id": job.workflow_id} if job.workflow_id else {}),
        "name": job.workflow_name,
        "version": 0.4,
        "last_node_id": max(node["id"] for node in nodes),
        "last_link_id": 0,
        "nodes": [{**node, "order": order} for order, node in enumerate(nodes)],
        "links": [],
        "groups": [],
    }


def _canvas_node(
    number: int, class_type: str, pos: tuple[int, int], size: tuple[int, int], values: list[Any]
) -> dict[str, Any]:
    return {
        "id": number,
        "type": class_type,
        "pos": list(pos),
        "size": list(size),
        "flags": {},
        "mode": 0,
        "properties": {"Node name for S&R": class_type, "cnr_id": "comfy-core", "ver": "0.3.64"},
        "widgets_values": values,
    }
