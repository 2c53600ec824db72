"""All error messages, by code: message, hint and short form.

Placeholders are in braces. An error has their values by name in `values`, so that a translation needs only the code.
"""

from __future__ import annotations

from . import environment
from .output_sentences import OUTPUT_SENTENCES
from .sentence import Sentence

_LOOK_AGAIN = "Nothing was sent. Look again before you delete."
_LOOK_AT_PLAN = "Look at your plan on Comfy Cloud."
_NEWER_VERSION = "Comfy Cloud may have changed. Look for a newer version of Comfy Cloud History."
_SAFE_ADDRESS = f"{environment.BASE_URL} must begin with https. Change it, then restart ComfyUI."
_HOME = (
    f"Set {environment.STATE_FOLDER} to the whole path of a folder, such as /home/you/cloud_history "
    "or ~/cloud_history, without quotes, or leave it out. Then restart ComfyUI."
)
_ENTER_KEY = "Choose Extensions > Cloud history > Connect to Comfy Cloud… and enter the key again."
_REPORT = "Nothing was sent. Please report this: it should not happen."
_GOOD_SETTINGS = (
    "Replace {name} with a good copy, or check the values in Settings > Cloud history and change any of them, so that "
    "ComfyUI writes the file again."
)
_GOOD_LIST = "Replace {name} with a good copy, or choose “Start with an empty list” in the panel."
_DISK_OF = "Check the disk that {name} is on, then try again."
_CHANGING = "Jobs may be coming and going. Try again in a moment."
_NOT_REACHED = "Comfy Cloud could not be reached"
_TOO_SLOW = "Comfy Cloud took too long to answer"

SENTENCES: dict[str, Sentence] = {
    # Invalid input.
    "no_job_ids": Sentence(
        "No job ids were given.",
        "Give the ids of the jobs to delete, one a line. To remove all jobs, use Clear Cloud History.",
    ),
    "invalid_job_ids": Sentence(
        "{wrong:,} of {total:,} {verb}: {items}{more}.",
        "A job id looks like 01234567-89ab-cdef-0123-456789abcdef. Nothing was sent.",
    ),
    "too_many_job_ids": Sentence(
        "At most {most:,} job ids can be given at once.",
        "Nothing was sent. Divide the ids among several nodes, or use Clear Cloud History to remove all jobs.",
    ),
    "not_a_time": Sentence(
        "“{given}” is not a time.",
        "Use hours, days or weeks (12h, 30d, 2w) or a date (2026-01-31), or leave the field blank for no limit.",
    ),
    "not_a_duration": Sentence(
        "“{given}” is not a length of time.",
        "Use hours, days or weeks (12h, 30d, 2w), or leave the field blank for no rule.",
    ),
    "input_not_one_value": Sentence(
        "“{name}” must be exactly one value. Nothing was sent.", "Set “{name}” on the node, or link one value to it."
    ),
    "input_not_boolean": Sentence(
        "“{name}” must be exactly one true or false. Nothing was sent.",
        "Set “{name}” on the node, or link one BOOLEAN to it.",
    ),
    "input_not_text": Sentence(
        "“{name}” must be exactly one text.", "Set “{name}” on the node, or link one STRING to it."
    ),
    "input_not_number": Sentence(
        "“{name}” must be exactly one whole number, 0 or more.", "Set “{name}” on the node, or link one INT to it."
    ),
    "input_not_a_choice": Sentence("“{name}” must be one of {choices}. Nothing was sent.", "Choose one on the node."),
    "job_without_workflow": Sentence("This job has no workflow."),
    "not_a_job_id": Sentence("The job id in the request is invalid."),
    "not_an_operation": Sentence("The deletion id in the request is invalid."),
    "not_a_question": Sentence("The approval id in the request is invalid."),
    "no_such_deletion": Sentence(
        "No running deletion has this id.", "It may have ended. Look under “Recently deleted”."
    ),
    "no_such_lost_deletion": Sentence(
        "There is no lost deletion with this id, or the state folder can’t be read.",
        "Reload the page. If the message stays, check the disk of the state folder.",
    ),
    "no_such_unresolved": Sentence("There is no unresolved deletion with this id."),
    "no_such_node_report": Sentence("There is no saved node report with this id."),
    "too_many_deletions": Sentence("Too many deletions are waiting.", "Wait until some deletions end, then try again."),
    "state_folder_not_lost": Sentence("Nothing is missing from the state folder."),
    "protection_not_damaged": Sentence("The list of protected jobs is not damaged, so it was not replaced."),
    "protection_full": Sentence("The list of protected jobs and workflows is full."),
    "too_many_protected": Sentence("At most {most:,} jobs and workflows can be protected."),
    "key_in_workflow_id": Sentence(
        "This workflow can’t be protected: its id contains the API key, which must not be saved in the list."
    ),
    # Retention policies.
    "rules_of_other_statuses": Sentence("“statuses” may contain only {statuses}.", "Choose one of these."),
    "no_rules": Sentence("Set at least one rule. Without one, nothing would be kept."),
    "rules_delete_much": Sentence(
        "These rules would delete {part} of the jobs they apply to ({of}). Nothing was sent.",
        "To delete these jobs all the same, turn “allow_large” on.",
    ),
    "length_not_positive": Sentence("“{name}” must be a positive length of time, or blank for no rule."),
    "not_a_count": Sentence("“{name}” must be a whole number from 0 to {most:,}."),
    "unknown_policy_fields": Sentence("“policy” has unknown fields: {count}."),
    "per_workflow_not_boolean": Sentence("“per_workflow” must be true or false."),
    # Settings.
    "setting_out_of_range": Sentence("{setting} must be a whole number from {least:,} to {most:,}."),
    "not_one_of": Sentence("“{setting}” must be one of {choices}."),
    "no_such_setting": Sentence("The request names a setting that does not exist."),
    "nothing_to_set": Sentence("The request contains no setting to change."),
    # Invalid requests from a browser.
    "statuses_not_finished": Sentence("“statuses” must be a list of {statuses}."),
    "header_missing": Sentence(
        "The request lacks the header “{header}: 1”.",
        "Programs have to send this header. A proxy in front of ComfyUI has to forward the header.",
    ),
    "host_missing": Sentence(
        "The Host header of the request is missing or invalid.",
        "A proxy in front of ComfyUI has to send a Host header (nginx: proxy_set_header Host $http_host;).",
    ),
    "unknown_host": Sentence(
        "ComfyUI was opened under an unknown host name: {name}.",
        "Open ComfyUI by its IP address or as localhost, or set {variable}={name} and restart ComfyUI.",
    ),
    "other_page": Sentence(
        "The request comes from a page of another site.",
        "Open ComfyUI in a tab of its own, always with the same address.",
    ),
    "other_origin": Sentence(
        "The request comes from another page: {origin} is not {host}.",
        "Always open ComfyUI with the same address. A proxy in front of ComfyUI has to forward the host name that "
        "the browser used (nginx: proxy_set_header Host $http_host;).",
    ),
    "framed_page": Sentence(
        "The request comes from another page, or from a frame in one.", "Open ComfyUI in a tab of its own."
    ),
    "not_sent_as_json": Sentence("The request body must be sent as application/json."),
    "body_compressed": Sentence("The request body must not be compressed."),
    "body_too_large": Sentence("The request body is too large."),
    "body_unreadable": Sentence("The request body can’t be read."),
    "body_taken": Sentence(
        "Another custom node pack has already read the body of this request.",
        "Disable other packs that watch requests, one by one, to find this pack.",
    ),
    "request_unreadable": Sentence("The request can’t be read."),
    "body_not_json": Sentence("The request body is not JSON."),
    "body_not_object": Sentence("The request body must be a JSON object."),
    "body_too_nested": Sentence("The request body is nested too deeply."),
    "unknown_members": Sentence("The request body has unknown fields: {count}."),
    "wrong_type": Sentence("“{name}” must be a {kind}."),
    "member_missing": Sentence("The request has no field “{name}”."),
    "unknown_filter_members": Sentence("“filter” has unknown fields: {count}."),
    "unknown_output_type": Sentence("“output_type” must be image, video, audio or 3d."),
    "protected_not_boolean": Sentence("“protected” must be true or false."),
    "statuses_not_list": Sentence("“statuses” must be a list."),
    "unknown_status": Sentence("“statuses” contains a word that is not a status."),
    "text_too_long": Sentence("“{name}” must be a text of at most {most} characters."),
    "not_a_moment": Sentence("“{name}” must be a time in milliseconds."),
    "ids_not_job_ids": Sentence("“ids” must be a list of job ids."),
    "ids_empty": Sentence("“ids” is empty: nothing is selected."),
    "workflows_not_ids": Sentence("“workflows” must be a list of at most {most:,} workflow ids."),
    "nothing_to_protect": Sentence("The request must have the field “ids” or “workflows”."),
    "selection_ambiguous": Sentence(
        "The request must have exactly one of the fields “ids”, “filter”, “policy” and “clear” (true)."
    ),
    "wrong_number_of_job_ids": Sentence("“ids” must contain 1 to {most} job ids."),
    "file_missing": Sentence("The request has no parameter “file”."),
    "out_of_range": Sentence("“{name}” must be a whole number from 0 to {most}."),
    "unknown_answer": Sentence("“answer” must be “delete” or “skip”."),
    "preview_of_other_kind": Sentence("This preview was made for another kind of deletion."),
    "nothing_to_delete": Sentence("Nothing to delete: every job in this preview stays."),
    # The history, the safeguards or the key changed after the confirmation.
    "busy": Sentence("Another deletion is running.", "You can delete again when it has finished."),
    "count_rose": Sentence(
        "{more:,} more {have} finished since you looked.",
        "Nothing was sent. Look at the new number, then confirm again.",
    ),
    "ticket_expired": Sentence("This address of a file is no longer valid.", "Open the file again."),
    "preview_expired": Sentence("This preview is more than 5 minutes old, or was used already.", _LOOK_AGAIN),
    "preview_of_other_key": Sentence("The key or the server has changed since this preview.", _LOOK_AGAIN),
    "nothing_left_to_clear": Sentence(
        "No finished job is listed any more. There were {confirmed:,} when you looked.", _LOOK_AGAIN
    ),
    "safeguards_changed": Sentence("Jobs were protected, or backups were switched on, since you looked.", _LOOK_AGAIN),
    "protected_meanwhile": Sentence(
        "A job was protected while the request waited to be sent.", "Look again before you delete."
    ),
    "account_changed": Sentence(
        "The API key or the server has changed since these jobs were listed.",
        "Nothing was changed. Wait until the list is read again, then select the jobs again.",
    ),
    "too_late": Sentence("Too late to undo.", "The deletion has been sent. Its result follows."),
    "not_supported": Sentence("This server can’t cancel jobs."),
    "stopped": Sentence("The deletion was stopped."),
    "cancelled": Sentence("It was cancelled."),
    "undone": Sentence("It was undone."),
    "comfyui_stopped": Sentence("ComfyUI stopped before anything was sent: nothing was deleted."),
    # Deletions by a workflow.
    "nodes_never": Sentence(
        "Workflows may not delete.", "To allow it, change “Workflows may delete” in Settings > Cloud history."
    ),
    "nobody_there": Sentence(
        "Nobody could be asked whether this workflow may delete: no browser with Comfy Cloud History "
        "is connected. Nothing was sent.",
        "Run it from a browser and answer there, or set “Workflows may delete” to Always (Settings > "
        f"Cloud history), or set {environment.NODES_MAY_DELETE}=allow.",
    ),
    "no_answer": Sentence(
        "No answer in 2 minutes, so nothing was deleted.",
        "Run the workflow again and answer.",
    ),
    "answered_too_soon": Sentence(
        "The answer came before anybody could read the question.",
        "Nothing was deleted. Read the question, then answer again.",
    ),
    "question_closed": Sentence(
        "This question is no longer open.", "Somebody may have answered in another window, or the workflow has stopped."
    ),
    "too_many_questions": Sentence(
        "{most} nodes are waiting for approval already.",
        "Nothing was sent. Give all job ids to one node, or let the nodes run in turn: link an output of each node to "
        "“after” of the next.",
    ),
    "question_not_written": Sentence("Nobody can be asked for approval: the state folder can’t be written."),
    "question_not_seen": Sentence("ComfyUI can’t record that the approval request is shown."),
    "answer_not_noted": Sentence("The answer to the approval request can’t be saved."),
    # The API key and the server's address.
    "missing_key": Sentence(
        "There is no API key for Comfy Cloud yet.",
        f"Choose Extensions > Cloud history > Connect to Comfy Cloud…, or set {environment.API_KEY}.",
    ),
    "key_empty": Sentence("The API key is empty.", "Paste an API key first."),
    "invalid_key": Sentence("The API key contains characters that are not allowed.", "Copy the key again."),
    "environment_key_unusable": Sentence(
        f"{environment.API_KEY} can’t be used. {{problem}}", "Correct the variable, then restart ComfyUI."
    ),
    "key_file_damaged": Sentence("The saved API key can’t be read.", _ENTER_KEY),
    "key_file_unreadable": Sentence("The saved API key can’t be read: {cause}.", _ENTER_KEY),
    "key_not_saved": Sentence(
        "The key can’t be saved: {cause}.", f"Make ComfyUI’s user folder writable, or set {environment.API_KEY}."
    ),
    "key_not_removed": Sentence("The key can’t be removed: {cause}."),
    "many_users": Sentence(
        "ComfyUI runs with --multi-user and has no authentication, so all users would share the saved key. "
        "The saved key is not used.",
        "Sign in to ComfyUI with your own API key, or, if all users are to share one key and one "
        f"state, start ComfyUI with {environment.SHARED_KEY}=1.",
    ),
    "unsafe_base_url": Sentence("The server address is not safe.", _SAFE_ADDRESS),
    "base_url_unreadable": Sentence("The server address can’t be read.", _SAFE_ADDRESS),
    "unusable_proxy": Sentence(
        "The proxy’s address can’t be used.",
        "Correct HTTPS_PROXY or ALL_PROXY (an http address), or name the host in NO_PROXY.",
    ),
    # The installation and the clock.
    "missing_dependency": Sentence(
        "A Python package is missing: jsonschema.",
        "Run “pip install jsonschema” in ComfyUI’s Python, then restart ComfyUI.",
    ),
    "broken_installation": Sentence(
        "A file of Comfy Cloud History is missing or damaged: {path}.",
        "Install Comfy Cloud History again, then restart ComfyUI.",
    ),
    "jsonschema_unusable": Sentence(
        "The Python package jsonschema can’t be used.",
        "Python imports {version}{path} ({why}). {cure}. Then restart ComfyUI.",
    ),
    "clock_wrong": Sentence(
        "Rules about the age of jobs can’t be used: this machine’s clock says {ours:%Y-%m-%d %H:%M} "
        "UTC, Comfy Cloud’s {theirs:%Y-%m-%d %H:%M} UTC.",
        "Set this machine’s clock, then try again. Rules that count jobs work with any clock.",
    ),
    "schema_mismatch": Sentence("A value does not match the schema {name}: {path} breaks the rule “{rule}”.", _REPORT),
    "job_id_twice": Sentence("A job id was given twice.", _REPORT),
    "too_many_to_cancel": Sentence("1 to 100 jobs can be cancelled in one request.", _REPORT),
    "invalid_job_id": Sentence("A job id is invalid.", _REPORT),
    "internal": Sentence("Something went wrong in Comfy Cloud History.", "The log has the details."),
    # The state folder. The hint, if not here, is the `default_hint` of StateUnwritable or its subclass.
    "state_folder_link_broken": Sentence(
        "The state folder {folder} is a link to {target}, which does not exist.",
        "Mount the disk of {target}, or remove the link, then restart ComfyUI.",
    ),
    "home_not_absolute": Sentence("{variable} is “{given}”. That is not an absolute path.", _HOME),
    "home_of_unknown_user": Sentence(
        "{variable} is “{given}”. That names a user whose home folder is not known.", _HOME
    ),
    "home_not_printable": Sentence("{variable} is “{given}”. That contains unprintable characters.", _HOME),
    "home_with_variable": Sentence(
        "{variable} is “{given}”. That contains a variable, which only a shell would expand.", _HOME
    ),
    "home_unknown": Sentence("The home folder of the user that runs ComfyUI is not known.", _HOME),
    "state_gone": Sentence("Deletions are stopped: the state folder {folder} is not there any more."),
    "state_empty": Sentence("Deletions are stopped: the state folder {folder} is empty."),
    "state_replaced": Sentence("Deletions are stopped: the state folder {folder} was replaced by another one."),
    "state_without_marker": Sentence(
        "Deletions are stopped: the file {part} is missing from the state folder {folder}."
    ),
    "state_without_safeguard": Sentence("Deletions are stopped: {part} is missing from the state folder {folder}."),
    "state_marker_damaged": Sentence("Deletions are stopped: the file {part} in the state folder {folder} is damaged."),
    "state_refused": Sentence("Deletions are stopped: the state folder {folder} can’t be read: {cause}."),
    "state_disk_silent": Sentence(
        "Deletions are stopped: the state folder {folder} can’t be read: the disk does not answer."
    ),
    "not_answering": Sentence("The state folder has not answered for {seconds:.0f} seconds."),
    "not_answering_at": Sentence(
        "The state folder has not answered for {seconds:.0f} seconds.",
        "Access to {file} hangs. Check its disk or network drive, then try again.",
    ),
    "no_threads": Sentence("The system can’t start another thread."),
    "state_unwritable": Sentence("Deletions are stopped: the state folder can’t be written."),
    "deletion_not_noted": Sentence(
        "Deletions are stopped: each one is recorded in the state folder first, and the folder can’t be written."
    ),
    "hold_not_noted": Sentence("Deletions are stopped: the hold can’t be recorded."),
    "note_not_removed": Sentence("The in-flight file of a deletion that has ended can’t be removed."),
    "state_not_begun_anew": Sentence("The state folder {folder} can’t be created: {cause}."),
    "in_flight_unreadable": Sentence("Interrupted deletions can’t be listed: their files can’t be read."),
    "holds_unreadable": Sentence(
        "Deletions that were on hold when ComfyUI stopped can’t be listed: their files can’t be read."
    ),
    "audit_log_unwritable": Sentence("Deletions are stopped: the record of deletions can’t be written."),
    "audit_log_unreadable": Sentence(
        "A file of the record of deletions can’t be read.",
        "Check the disk of this file, or move the file elsewhere to list the deletions in the other files.",
    ),
    "node_report_not_kept": Sentence("The report of the node that deleted jobs can’t be saved."),
    "node_report_unreadable": Sentence("The saved report of this node can’t be read."),
    "setting_not_saved": Sentence("The setting can’t be saved."),
    "settings_damaged": Sentence("Deletions are stopped: the settings can’t be read.", _GOOD_SETTINGS),
    "settings_refused": Sentence("Deletions are stopped: the settings can’t be read: {cause}.", _GOOD_SETTINGS),
    "settings_unreadable": Sentence("Deletions are stopped: the settings can’t be read: {cause}.", _DISK_OF),
    "protection_not_saved": Sentence("The list of protected jobs can’t be saved."),
    "protection_not_put_aside": Sentence("The damaged list of protected jobs can’t be renamed."),
    "protection_damaged": Sentence("Deletions are stopped: the list of protected jobs can’t be read.", _GOOD_LIST),
    "protection_refused": Sentence(
        "Deletions are stopped: the list of protected jobs can’t be read: {cause}.", _GOOD_LIST
    ),
    "protection_unreadable": Sentence(
        "Deletions are stopped: the list of protected jobs can’t be read: {cause}.", _DISK_OF
    ),
    # Backups.
    "backup_damaged": Sentence("This backup can’t be read.", "The file {name} is damaged or missing."),
    "backups_unreadable": Sentence("The backups can’t be listed: their folder can’t be read."),
    "backup_not_deleted": Sentence("The backup can’t be deleted."),
    "backup_gone": Sentence(
        "The deletion was stopped: its backup, {operation}.zip, is missing from the state folder.",
        "Find out what removed the file, then delete again.",
    ),
    "key_in_workflow": Sentence(
        "A workflow can’t be backed up: the API key is in it and can’t be removed.",
        short="the API key is in it and can’t be removed",
    ),
    "backup_answer_unusable": Sentence(
        "A workflow can’t be backed up: Comfy Cloud answered with another job.",
        short="Comfy Cloud answered with another job",
    ),
    "backup_too_large": Sentence("A workflow can’t be backed up: it is too large.", short="it is too large"),
    "backup_too_many_jobs": Sentence(
        "The backup has too many jobs.", "Delete fewer jobs at once.", short="the backup has too many jobs"
    ),
    "incomplete": Sentence("{report}"),
    "nested_too_deeply": Sentence(
        "This job’s workflow is nested more than {levels} levels deep, so it can’t be shown or backed up.",
        "ComfyUI makes no such workflows. To delete the job, turn backups off.",
        "it is nested too deeply",
    ),
    # No answer from Comfy Cloud. The hint, if not here, is the `default_hint` of the error's class.
    "not_reached": Sentence("Can’t reach {host}.", short=_NOT_REACHED),
    "proxy_refused": Sentence("The proxy refused to connect to {host} ({status}).", short=_NOT_REACHED),
    "connection_lost": Sentence("The connection was lost before the answer came.", short="the connection was lost"),
    "untrusted_certificate": Sentence(
        "The certificate of {host} can’t be trusted.",
        "Check this machine’s clock. If a proxy or antivirus program puts its own certificate in "
        "between, set SSL_CERT_FILE to the PEM file of its certificate authority and restart ComfyUI.",
        "the certificate can’t be trusted",
    ),
    "not_http": Sentence(
        "The answer of {host} can’t be read: it is not HTTP, or its headers are larger than 64 kB.",
        "A proxy or VPN may have changed the answer.",
        "the answer could not be read",
    ),
    "timeout": Sentence("Comfy Cloud took too long to answer.", short=_TOO_SLOW),
    "took_too_long": Sentence("The operation took too long.", short=_TOO_SLOW),
    "connecting_too_slow": Sentence("Can’t reach {host}: connecting took too long.", short=_TOO_SLOW),
    "counting_too_slow": Sentence("Counting took too long, so nothing was sent.", short=_TOO_SLOW),
    "list_too_slow": Sentence("Reading the list took too long.", short=_TOO_SLOW),
    "backup_too_slow": Sentence("Backing up took too long, so nothing was sent.", short=_TOO_SLOW),
    # Comfy Cloud answered with an error. CloudResponseError appends the status, or the text of the answer.
    "bad_request": Sentence("Comfy Cloud refused the request.", _NEWER_VERSION),
    "unauthorized": Sentence(
        "Your API key was refused.",
        "It may have been revoked, or not copied whole.",
        "the key was refused",
    ),
    "insufficient_credits": Sentence("Your account has no credits left.", _LOOK_AT_PLAN),
    "forbidden": Sentence(
        "This key can’t manage your history.", "Use a key of the account or workspace these jobs belong to."
    ),
    "not_found": Sentence(
        "Comfy Cloud did not find what was requested.",
        f"If {environment.BASE_URL} is set, check that it names a Comfy Cloud server.",
    ),
    "subscription_inactive": Sentence("Your Comfy Cloud plan does not cover this.", _LOOK_AT_PLAN),
    "free_tier_exhausted": Sentence("Your free tier on Comfy Cloud is used up.", _LOOK_AT_PLAN),
    "free_tier_not_allowed": Sentence("The free tier of Comfy Cloud does not allow this.", _LOOK_AT_PLAN),
    "payment_required": Sentence("Comfy Cloud asks for a payment.", _LOOK_AT_PLAN),
    "cloud_subscription_required": Sentence("This needs a Comfy Cloud subscription.", _LOOK_AT_PLAN),
    "partner_node_payment_required": Sentence("Comfy Cloud asks for a payment for partner nodes.", _LOOK_AT_PLAN),
    "model_payment_required": Sentence("Comfy Cloud asks for a payment for a model.", _LOOK_AT_PLAN),
    "rate_limited": Sentence(
        "Too many requests in a short time.", "Comfy Cloud asks to wait. Try again in a minute.", "too many requests"
    ),
    "rate_limited_for": Sentence(
        "Too many requests in a short time.", "Comfy Cloud asks to wait. Try again in {seconds} s.", "too many requests"
    ),
    "server_fault": Sentence(
        "Comfy Cloud has a problem.", "It is not your key. Try again in a few minutes.", "server error ({status})"
    ),
    "api_moved_on": Sentence(
        "Comfy Cloud no longer supports a route that this version of Comfy Cloud History uses.",
        "This API has moved on: look for a newer version of Comfy Cloud History. If "
        f"{environment.BASE_URL} is set, check that it names a Comfy Cloud server.",
        "this API has moved on ({status})",
    ),
    "unreadable_answer": Sentence("This answer can’t be read.", _NEWER_VERSION),
    "file_too_large": Sentence(
        "The file is larger than {megabytes} MB, so it can’t be shown here.",
        "Download it from your assets on Comfy Cloud.",
    ),
    "output_too_large": Sentence(
        "The output is larger than {gigabytes} GB, the limit for one saved file.",
        "Raise the limit in Settings > Cloud history, or download it from your assets on Comfy Cloud.",
        "it is larger than {gigabytes} GB",
    ),
    "output_gone": Sentence(
        "The output is no longer on Comfy Cloud.",
        "It was deleted there, or has expired.",
        "it is no longer on Comfy Cloud",
    ),
    "not_a_picture": Sentence("The file is not a picture.", _NEWER_VERSION),
    "no_such_file": Sentence("The job has no file with this name."),
    "no_such_words": Sentence("This version has no words for this language.", "Reload the page."),
    "answer_too_large": Sentence(
        "This answer is too large to be read.", "Open this job on the Comfy Cloud site instead."
    ),
    "not_comfy_cloud": Sentence(
        "The answer did not come from Comfy Cloud.",
        "A proxy, a VPN or a sign-in page may have answered instead. Check your network, then try again.",
    ),
    "list_not_whole": Sentence("The list of jobs could not be read whole.", _CHANGING),
    "list_doubtful": Sentence("The list of jobs could not be read whole: {why}.", _CHANGING),
    **OUTPUT_SENTENCES,
}
