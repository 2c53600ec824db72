"""The workflows and outputs of jobs, made on demand, because keeping them would take a gigabyte."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .jobs import SimulatedJob

# By the kind of output: the node that decodes, the node that saves, and the name of its input.
END_NODES = {
    "images": ("VAEDecode", "SaveImage", "images"),
    "gifs": ("VAEDecode", "VHS_VideoCombine", "images"),
    "audio": ("VAEDecodeAudio", "SaveAudioMP3", "audio"),
    "3d": ("VAEDecodeHunyuan3D", "SaveGLB", "mesh"),
}
OUTPUTS = {
    "CheckpointLoaderSimple": ("MODEL", "CLIP", "VAE"),
    "LoraLoader": ("MODEL", "CLIP"),
    "CLIPTextEncode": ("CONDITIONING",),
    "EmptyLatentImage": ("LATENT",),
    "KSampler": ("LATENT",),
    "VAEDecode": ("IMAGE",),
    "VAEDecodeAudio": ("AUDIO",),
    "VAEDecodeHunyuan3D": ("MESH",),
}
FIRST_LORA_ID = 20
MAX_LORAS = 4
COLUMN = 355
NOTES = 2
LINES_IN_A_NOTE = (35, 285)
MEDIA_TYPES = {"images": "images", "gifs": "video", "audio": "audio", "3d": "model"}
SAVE_NODE_ID = "9"


def preview_of(job: SimulatedJob) -> dict[str, Any] | None:
    """Return the `preview_output` of a job, which is its first file, or None."""
    if not job.files:
        return None
    return {**_file(*job.places[0]), "nodeId": SAVE_NODE_ID, "mediaType": MEDIA_TYPES[job.media]}


def outputs_of(job: SimulatedJob) -> dict[str, Any]:
    """Return the `outputs` of a job: all its files, by the node that saved them."""
    if not job.files:
        return {}
    return {SAVE_NODE_ID: {job.media: [_file(*place) for place in job.places]}}


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


def _file(subfolder: str, name: str) -> dict[str, Any]:
    return {"filename": name, "subfolder": subfolder, "type": "output"}


def _node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs, "_meta": {"title": class_type}}


def _prompt(job: SimulatedJob, source: random.Random) -> dict[str, Any]:
    """Return the graph in API form: text to picture, video, sound or mesh, with a varying number of LoRAs."""
    nodes = {
        "4": _node("CheckpointLoaderSimple", ckpt_name=job.checkpoint),
        "5": _node("EmptyLatentImage", width=job.width, height=job.height, batch_size=max(1, len(job.files))),
        "7": _node("CLIPTextEncode", text="blurry, watermark, extra fingers", clip=["4", 1]),
    }
    model = "4"
    for number in range(FIRST_LORA_ID, FIRST_LORA_ID + source.randint(1, MAX_LORAS)):
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
    decode, save, content = END_NODES[job.media]
    nodes["8"] = _node(decode, samples=["3", 0], vae=["4", 2])
    nodes[SAVE_NODE_ID] = _node(save, filename_prefix=_prefix(job), **{content: ["8", 0]})
    return nodes


def _prefix(job: SimulatedJob) -> str:
    return job.files[0].rsplit("_", 2)[0] if job.files else "ComfyUI"


def _canvas(job: SimulatedJob, prompt: dict[str, Any], source: random.Random) -> dict[str, Any]:
    """Return the graph as the canvas saves it: laid out from left to right, with links, and notes above it.

    It has every field that ComfyUI's frontend checks when it opens a workflow.
    """
    places = _places(prompt)
    nodes = {
        number: _canvas_node(int(number), node["class_type"], *places[number], _widget_values(node))
        for number, node in prompt.items()
    }
    links = _link(nodes, prompt)
    notes = [_note(number, job, source) for number in range(NOTES)]
    every = [*nodes.values(), *notes]
    return {
        **({"id": job.workflow_id} if job.workflow_id else {}),
        "name": job.workflow_name,
        "version": 0.4,
        "last_node_id": max(node["id"] for node in every),
        "last_link_id": len(links),
        "nodes": [{**node, "order": order} for order, node in enumerate(every)],
        "links": links,
        "groups": [],
    }


def _places(prompt: dict[str, Any]) -> dict[str, tuple[tuple[int, int], tuple[int, int]]]:
    """Return the position and the size of each node: loaders, LoRAs, text, sampler and output."""
    loras = [number for number in prompt if int(number) >= FIRST_LORA_ID]
    return {
        "4": ((0, 0), (315, 98)),
        "5": ((0, 160), (315, 106)),
        "7": ((0, 330), (315, 180)),
        **{number: ((COLUMN, 180 * row), (315, 126)) for row, number in enumerate(loras)},
        "6": ((2 * COLUMN, 0), (315, 200)),
        "3": ((3 * COLUMN, 0), (315, 262)),
        "8": ((2 * COLUMN, 330), (315, 46)),
        SAVE_NODE_ID: ((3 * COLUMN, 330), (315, 200)),
    }


def _widget_values(node: dict[str, Any]) -> list[Any]:
    values = [value for value in node["inputs"].values() if not isinstance(value, list)]
    # The frontend has a widget after the seed: what becomes of the seed after a run.
    return [values[0], "randomize", *values[1:]] if node["class_type"] == "KSampler" else values


def _link(nodes: dict[str, dict[str, Any]], prompt: dict[str, Any]) -> list[list[Any]]:
    """Add the slots to the nodes, and return the links between them."""
    links: list[list[Any]] = []
    for node in nodes.values():
        node["outputs"] = [{"name": kind, "type": kind, "links": []} for kind in OUTPUTS.get(node["type"], ())]
        node["inputs"] = []
    for number, node in nodes.items():
        for name, value in prompt[number]["inputs"].items():
            if isinstance(value, list):
                output = nodes[value[0]]["outputs"][value[1]]
                link = len(links) + 1
                links.append([link, int(value[0]), value[1], node["id"], len(node["inputs"]), output["type"]])
                output["links"].append(link)
                node["inputs"].append({"name": name, "type": output["type"], "link": link})
    return links


def _note(number: int, job: SimulatedJob, source: random.Random) -> dict[str, Any]:
    """Return a note with a diary of former runs, which makes up most of the workflow's size."""
    remarks = ("keep", "too dark", "ask the client", "better hands", "print")
    chosen = source.choices(remarks, k=source.randint(*LINES_IN_A_NOTE))
    lines = [f"seed {source.getrandbits(50)}: {remark}. {job.prompt}" for remark in chosen]
    return _canvas_node(100 + number, "Note", (COLUMN * number, -260), (315, 200), ["\n".join(lines)])


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
        "inputs": [],
        "outputs": [],
        "properties": {"Node name for S&R": class_type, "cnr_id": "comfy-core", "ver": "0.3.64"},
        "widgets_values": values,
    }
