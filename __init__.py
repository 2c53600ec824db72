"""Comfy Cloud History: delete jobs from, or clear, your Comfy Cloud execution history from inside ComfyUI.

ComfyUI imports this file when it loads this folder as a custom node pack. The nodes are in `nodes/`, the browser code
in `js/`, and the code for Comfy Cloud in `cloud_history/`. Only `comfy_host.py` imports ComfyUI.
"""

# pytest imports this file as a module without a package, where relative imports would fail.
if __package__:
    from .comfy_host import add_routes
    from .nodes.clean_up_history import CleanUpCloudHistory
    from .nodes.clear_history import ClearCloudHistory
    from .nodes.delete_jobs import DeleteCloudJobs
    from .nodes.list_jobs import ListCloudJobs
    from .nodes.save_outputs import SaveCloudOutputs

    NODE_CLASS_MAPPINGS = {
        "CloudHistoryDeleteJobs": DeleteCloudJobs,
        "CloudHistoryClear": ClearCloudHistory,
        "CloudHistoryListJobs": ListCloudJobs,
        "CloudHistoryPrune": CleanUpCloudHistory,
        "CloudHistorySaveOutputs": SaveCloudOutputs,
    }
    NODE_DISPLAY_NAME_MAPPINGS = {
        "CloudHistoryDeleteJobs": "Delete Cloud Jobs",
        "CloudHistoryClear": "Clear Cloud History",
        "CloudHistoryListJobs": "List Cloud Jobs",
        "CloudHistoryPrune": "Clean Up Cloud History",
        "CloudHistorySaveOutputs": "Save Cloud Outputs",
    }
    WEB_DIRECTORY = "./js"

    add_routes()
