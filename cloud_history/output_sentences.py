"""The error messages about saving outputs, by code. They are a part of `sentences.SENTENCES`."""

from __future__ import annotations

from . import environment
from .sentence import Sentence

_NAME_A_FOLDER = (
    f"Set {environment.OUTPUT_FOLDERS} to the whole path of a folder for outputs, then restart ComfyUI, or choose a "
    "folder inside ComfyUI’s output folder."
)
_NO_LINKS = (
    f"Links are not followed. Remove the link, or name the folder that it leads to in {environment.OUTPUT_FOLDERS}."
)

OUTPUT_SENTENCES: dict[str, Sentence] = {
    # The folder for outputs.
    "outputs_folder_unknown": Sentence("There is no folder in which outputs can be saved.", _NAME_A_FOLDER),
    "outputs_folder_missing": Sentence(
        "The folder for outputs does not exist: {folder}.", "Mount its disk, or create the folder, then try again."
    ),
    "outputs_folder_outside": Sentence(
        "Outputs can’t be saved in this folder: it is outside ComfyUI’s output folder.", _NAME_A_FOLDER
    ),
    "outputs_folder_name": Sentence(
        "“{name}” can’t be the name of a folder for outputs.",
        "Use a name without slashes, control characters and the characters that Windows forbids.",
    ),
    "outputs_folder_not_absolute": Sentence(
        "A folder in {variable} is not a whole path: {given}.",
        "Give whole paths, such as /home/you/outputs. Then restart ComfyUI.",
    ),
    "output_link_in_the_way": Sentence(
        "{name} in the folder for outputs is a link.", _NO_LINKS, "{name} in the folder for outputs is a link"
    ),
    "output_other_file_in_the_way": Sentence(
        "{name} in the folder for outputs is not {expected}.",
        "Move it elsewhere, then try again.",
        "{name} in the folder for outputs is not {expected}",
    ),
    "outputs_no_free_name": Sentence(
        "There are too many files like {name} in the folder for outputs.",
        "Move some of them elsewhere, then try again.",
    ),
    # Writing and checking an output.
    "outputs_unwritable": Sentence(
        "The folder for outputs can’t be written.", short="the folder for outputs can’t be written"
    ),
    "outputs_unreadable": Sentence(
        "The folder for outputs can’t be read.", short="the folder for outputs can’t be read"
    ),
    "outputs_disk_full": Sentence(
        "The disk of the folder for outputs is full.",
        "Free some disk space, then try again.",
        "the disk of the folder for outputs is full",
    ),
    "output_changed_on_disk": Sentence(
        "Another program changed {name} while it was being saved.",
        "Try again.",
        "another program changed it while it was being saved",
    ),
    "output_wrong_size": Sentence(
        "The output has {got:,} bytes and not {expected:,}, so it was not saved.",
        "Try again.",
        "it has {got:,} bytes and not {expected:,}",
    ),
    "output_wrong_hash": Sentence(
        "The output is not the file that Comfy Cloud describes: its BLAKE3 hash differs, so it was not saved.",
        "Try again.",
        "its hash is not the one that Comfy Cloud gives",
    ),
    # The list of saved outputs, and the saves that are running.
    "saved_outputs_unwritable": Sentence("The list of saved outputs can’t be written."),
    "saved_outputs_unreadable": Sentence("The list of saved outputs can’t be read."),
    "saved_outputs_lost": Sentence(
        "The list of saved outputs is missing from the state folder.",
        "Put saved_outputs.jsonl back, or remove saved_outputs.begun: then no output counts as saved until it is saved "
        "again.",
    ),
    "save_not_noted": Sentence("Outputs can’t be saved: each save is recorded in the state folder first."),
    "save_note_not_removed": Sentence("The record of a save that has ended can’t be removed from the state folder."),
    "saves_unreadable": Sentence("The records of running saves can’t be read."),
    "no_such_save": Sentence("There is no interrupted save with this id.", "It may have been continued or dismissed."),
    # Saves, as a person asks for them.
    "nothing_to_save": Sentence("Nothing to save: these jobs have no outputs that are not here already."),
    "save_not_running": Sentence("This save is not running any more."),
    "save_still_running": Sentence("This save is still running.", "Stop it first."),
    "too_many_saves": Sentence("Too many saves are running.", "Wait until some end, then try again."),
    "no_such_saved_output": Sentence("No file with this number is here as it was saved for this job."),
    "outputs_no_room": Sentence(
        "The outputs need {needed}, and their disk has {free} free. Nothing was saved.",
        "Free some disk space, save fewer jobs, or choose a folder on another disk in Settings > Cloud history.",
        "the outputs need {needed}, and their disk has {free} free",
    ),
    "outputs_silent": Sentence(
        "The folder for outputs has not answered for {seconds:.0f} seconds.",
        "Check its disk or network drive, then try again.",
        "the folder for outputs does not answer",
    ),
    "outputs_gone_meanwhile": Sentence(
        "A saved output disappeared or was changed while the request waited to be sent.",
        "Look again before you delete.",
    ),
    "outputs_folder_changed": Sentence(
        "The folder for outputs has changed since this preview.", "Nothing was saved. Look again before you save."
    ),
    "saved_not_yes_or_no": Sentence("“saved” must be “yes” or “no”."),
    "setting_not_text": Sentence("{setting} must be a text of at most {most} printable characters."),
}
