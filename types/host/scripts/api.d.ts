export const api: import("../../comfyui").ComfyApi;
