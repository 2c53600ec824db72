export const app: import("../../comfyui").ComfyApp;
