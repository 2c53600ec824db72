// @ts-check
/** Checks of the form of answers. */

/** @param {unknown} value @returns {value is Record<string, any>} */
export const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether every object in a list has a string at `key`. @param {unknown} value @param {string} key */
export const eachHas = (value, key) => Array.isArray(value) && value.every((each) => isObject(each) && typeof each[key] === "string");
