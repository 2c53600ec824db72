"""The exceptions of this package, all of them.

    CloudError
    ├─ InputRefused              our own check said no: nothing was sent
    │   ├─ InvalidJobIds
    │   ├─ NoJobIds
    │   ├─ PolicyRefused
    │   ├─ SchemaMismatch
    │   └─ TooManyJobIds
    ├─ SetupProblem              something on this machine has to be put right first: nothing was sent
    │   ├─ MissingApiKey ├─ InvalidApiKey ├─ KeyFileDamaged ├─ UnsafeBaseUrl
    │   ├─ UnusableProxy ├─ MissingDependency ├─ BrokenInstallation
    │   ├─ StateUnwritable, its StateFolderLost and StateSilent
    │   ├─ ProtectionDamaged ├─ SettingsDamaged ├─ StateFolderRefused
    │   ├─ ClockWrong └─ ManyUsers
    ├─ NotBackedUp               a workflow cannot be kept, so its job is not deleted
    ├─ BackupDamaged             a backup cannot be read
    ├─ NestedTooDeeply           a job's workflow is too deep to be read
    ├─ ListNotWhole              the list of jobs does not add up
    ├─ OperationRefused          not now, or not any more: nothing was sent
    │   ├─ AccountChanged ├─ Busy ├─ CountRose ├─ PreviewExpired ├─ TooLate ├─ NotSupported
    │   ├─ NodesNever ├─ NobodyThere ├─ NoAnswer ├─ QuestionClosed
    │   ├─ AnsweredTooSoon       └─ TooManyQuestions
    ├─ OperationStopped          the person stopped it
    ├─ Incomplete                it ran, and not all of it is known to have worked
    ├─ CloudConnectionError      no answer came (`sent` says whether the request may have arrived)
    │   ├─ UntrustedCertificate ├─ NotHttp
    │   └─ CloudTimeoutError
    └─ CloudResponseError        an answer came, and it was not the one hoped for
        ├─ BadRequest 400        ├─ Unauthorized 401   ├─ InsufficientCredits 402   ├─ Forbidden 403
        ├─ NotFound 404          ├─ RateLimited 429    ├─ PlanRefused 402 or 429, by its type
        ├─ ServerFault 5xx       ├─ ApiMovedOn 404, 405, 410, 501 ├─ UnreadableAnswer
        └─ NotComfyCloud         a redirect, or a page of HTML

FileRefused is no CloudError: it is the OSError of a state file in whose place something else is; LockSilent is one
that cannot be locked.

`code` is stable and made for programs, `message` says what is the case, `hint` what to do about it.
"""

from __future__ import annotations

from .base import (
    BackupDamaged,
    CloudError,
    Incomplete,
    ListNotWhole,
    NestedTooDeeply,
    NotBackedUp,
    OperationStopped,
)
from .cloud import (
    PLAN_REFUSALS,
    AnswerTooLarge,
    ApiMovedOn,
    BadRequest,
    CloudConnectionError,
    CloudResponseError,
    CloudTimeoutError,
    Forbidden,
    InsufficientCredits,
    NotComfyCloud,
    NotFound,
    NotHttp,
    PlanRefused,
    RateLimited,
    ServerFault,
    Unauthorized,
    UnreadableAnswer,
    UntrustedCertificate,
)
from .refused import (
    AccountChanged,
    AnsweredTooSoon,
    Busy,
    CountRose,
    InputRefused,
    InvalidJobIds,
    NoAnswer,
    NobodyThere,
    NodesNever,
    NoJobIds,
    NotSupported,
    OperationRefused,
    PolicyRefused,
    PreviewExpired,
    QuestionClosed,
    SchemaMismatch,
    TooLate,
    TooManyJobIds,
    TooManyQuestions,
)
from .setup import (
    BrokenInstallation,
    ClockWrong,
    FileRefused,
    InvalidApiKey,
    KeyFileDamaged,
    LockSilent,
    ManyUsers,
    MissingApiKey,
    MissingDependency,
    ProtectionDamaged,
    SettingsDamaged,
    SetupProblem,
    StateFolderLost,
    StateFolderRefused,
    StateSilent,
    StateUnreadable,
    StateUnwritable,
    UnsafeBaseUrl,
    UnusableProxy,
)

__all__ = [
    "PLAN_REFUSALS",
    "AccountChanged",
    "AnswerTooLarge",
    "AnsweredTooSoon",
    "ApiMovedOn",
    "BackupDamaged",
    "BadRequest",
    "BrokenInstallation",
    "Busy",
    "ClockWrong",
    "CloudConnectionError",
    "CloudError",
    "CloudResponseError",
    "CloudTimeoutError",
    "CountRose",
    "FileRefused",
    "Forbidden",
    "Incomplete",
    "InputRefused",
    "InsufficientCredits",
    "InvalidApiKey",
    "InvalidJobIds",
    "KeyFileDamaged",
    "ListNotWhole",
    "LockSilent",
    "ManyUsers",
    "MissingApiKey",
    "MissingDependency",
    "NestedTooDeeply",
    "NoAnswer",
    "NoJobIds",
    "NobodyThere",
    "NodesNever",
    "NotBackedUp",
    "NotComfyCloud",
    "NotFound",
    "NotHttp",
    "NotSupported",
    "OperationRefused",
    "OperationStopped",
    "PlanRefused",
    "PolicyRefused",
    "PreviewExpired",
    "ProtectionDamaged",
    "QuestionClosed",
    "RateLimited",
    "SchemaMismatch",
    "ServerFault",
    "SettingsDamaged",
    "SetupProblem",
    "StateFolderLost",
    "StateFolderRefused",
    "StateSilent",
    "StateUnreadable",
    "StateUnwritable",
    "TooLate",
    "TooManyJobIds",
    "TooManyQuestions",
    "Unauthorized",
    "UnreadableAnswer",
    "UnsafeBaseUrl",
    "UntrustedCertificate",
    "UnusableProxy",
]
