"""Comfy Cloud History: delete jobs from, or clear, your Comfy Cloud execution history from inside ComfyUI.

The composition root: what ComfyUI reads when it loads this folder as a custom node pack. The nodes are in
`nodes/`, the browser's part in `js/`, all that is known of Comfy Cloud in `cloud_history/`, and the one door
to ComfyUI is `comfy_host.py`.
"""

# pytest imports this file as a lone module, without a package, where relative imports cannot work.
if __package__:
    from .comfy_host import add_routes
    from .nodes.clean_up_history import CleanUpCloudHistory
    from .nodes.clear_history import ClearCloudHistory
    from .nodes.delete_jobs import DeleteCloudJobs
    from .nodes.list_jobs import ListCloudJobs

    NODE_CLASS_MAPPINGS = {
        "CloudHistoryDeleteJobs": DeleteCloudJobs,
        "CloudHistoryClear": ClearCloudHistory,
        "CloudHistoryListJobs": ListCloudJobs,
        "CloudHistoryPrune": CleanUpCloudHistory,
    }
    NODE_DISPLAY_NAME_MAPPINGS = {
        "CloudHistoryDeleteJobs": "Delete Cloud Jobs",
        "CloudHistoryClear": "Clear Cloud History",
        "CloudHistoryListJobs": "List Cloud Jobs",
        "CloudHistoryPrune": "Clean Up Cloud History",
    }
    WEB_DIRECTORY = "./js"

    add_routes()
