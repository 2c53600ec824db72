// @ts-check
/** Writes numbers, times and untrusted text for the screen, as the language of the other texts does. */

import { formatter, text } from "./words.mjs";

/** @param {number} n */
export const number = (n) => formatter().number(n);

/** "2 jobs, 3 min": joins short texts, and leaves out empty ones. @param {readonly (string | number | false | null | undefined)[]} parts */
export const enumeration = (parts) => parts.filter(Boolean).join(text("common.comma"));

/** Joins whole sentences, and leaves out empty ones. @param {readonly (string | false | null | undefined)[]} parts */
export const sentences = (parts) =>
  parts.reduce((/** @type {string} */ all, next) => (next ? `${all}${all && !/[。！？]$/.test(all) ? " " : ""}${next}` : all), "");

/** Ends a text like a sentence, if it has no such end and is not empty. @param {string} words */
export const sentence = (words) => (!words || /[.!?…。！？؟]$/.test(words) ? words : text("common.sentence", { text: words }));

/** Any character that is visible, in any script. */
const VISIBLE = /[^\p{C}\p{Z}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u;

/**
 * Untrusted text as one line, or "" if no character is visible. Control characters and marks that change the writing direction become �.
 * @param {unknown} text
 * @param {number} [most] maximum length in characters
 */
export function clean(text, most = 200) {
  if (!VISIBLE.test(String(text ?? ""))) return "";
  const line = String(text ?? "").trim().replace(/\s+/g, " ").replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
  const characters = [...line];
  return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : line;
}

const DAY = 86_400_000;

/** "23 November 2026, 13:48". @param {number} at @param {boolean} [exact] with seconds */
export const dateTime = (at, exact = false) => text(exact ? "common.date_time_exact" : "common.date_time", { at });

/** "13:48:07". @param {number} at */
export const exactClock = (at) => formatter().date(at, { timeStyle: "medium" });

/** "14:02". @param {number} at */
export const clockTime = (at) => formatter().date(at, { timeStyle: "short" });

/** "23 November 2026". @param {number} at */
export const dateOnly = (at) => formatter().date(at, { dateStyle: "long" });

/** The number of midnights between two times. @param {number} at @param {number} now */
const daysBetween = (at, now) => Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / DAY);

/** @param {number} at @param {number} now */
const isSameYear = (at, now) => new Date(at).getFullYear() === new Date(now).getFullYear();

/** "Today, 14:02", "20 November, 09:14", with the year if it is not this one. @param {number} at @param {number} now */
export function dayAndTime(at, now) {
  const days = daysBetween(at, now);
  if (days === 0) return text("common.day.today_at", { at });
  if (days === 1) return text("common.day.yesterday_at", { at });
  const day = isSameYear(at, now) ? formatter().date(at, { day: "numeric", month: "long" }) : dateOnly(at);
  return text("common.day.at", { day, at });
}

/** "just now", "12 min ago", "3 h ago", "2 days ago". @param {number} at @param {number} now */
export function ago(at, now) {
  const minutes = Math.max(0, Math.floor((now - at) / 60_000));
  if (minutes < 1) return text("common.ago.now");
  if (minutes < 60) return text("common.ago.minutes", { n: minutes });
  return now - at < DAY ? text("common.ago.hours", { n: Math.floor(minutes / 60) }) : text("common.ago.days", { n: Math.floor((now - at) / DAY) });
}

/** "Today", "Sunday 15 November". @param {number | null} midnight @param {number} now */
export function dayHeading(midnight, now) {
  if (midnight === null) return text("common.day.none");
  const days = daysBetween(midnight, now);
  if (days === 0) return text("common.day.today");
  if (days === 1) return text("common.day.yesterday");
  return formatter().date(midnight, { weekday: "long", day: "numeric", month: "long", ...(!isSameYear(midnight, now) && { year: "numeric" }) });
}

/** "9.0 s", "3:12", "1:02:10". @param {number} milliseconds */
export function duration(milliseconds) {
  const { number: digits } = formatter();
  if (milliseconds < 59_950) return text("common.duration.seconds", { n: digits(milliseconds / 1000, { minimumFractionDigits: 1, maximumFractionDigits: 1 }) });
  const all = Math.round(milliseconds / 1000);
  const two = (/** @type {number} */ n) => digits(n, { minimumIntegerDigits: 2 });
  const [hours, minutes] = [Math.floor(all / 3600), Math.floor(all / 60) % 60];
  // Not a message: in a language from right to left, its parts would change places.
  return hours ? `${digits(hours, { useGrouping: false })}:${two(minutes)}:${two(all % 60)}` : `${digits(minutes)}:${two(all % 60)}`;
}

/**
 * A duration of one unit, rounded for sums; hours may have minutes beside them.
 * @param {number} milliseconds @returns {{unit: "seconds" | "minutes" | "hours", n: number, minutes?: number}}
 */
function rounded(milliseconds) {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 100) return { unit: "seconds", n: seconds };
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return { unit: "minutes", n: minutes };
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return rest && hours < 100 ? { unit: "hours", n: hours, minutes: rest } : { unit: "hours", n: hours };
}

/** "45 s", "12 min", "3 h 20 min": rounded, for sums. @param {number} milliseconds */
export function roughDuration(milliseconds) {
  const { unit, n, minutes } = rounded(milliseconds);
  return minutes ? text("common.duration.hours_minutes", { hours: n, minutes }) : text(`common.duration.${unit}`, { n: number(n) });
}

/** "a few seconds", "about 45 s", "7 to 30 min", "50 s to 4 min". @param {number} least milliseconds @param {number} most milliseconds */
export function roughRange(least, most) {
  if (most < 10_000) return text("common.duration.few_seconds");
  const [from, to] = [roughDuration(least), roughDuration(most)];
  if (from === to) return text("common.duration.about", { duration: to });
  const [first, last] = [rounded(least), rounded(most)];
  const isOneUnit = first.unit === last.unit && !first.minutes && !last.minutes;
  return isOneUnit ? text(`common.duration.range_${first.unit}`, { from: first.n, to: last.n }) : text("common.duration.range", { from, to });
}

/** "812 KB", "2.1 MB", "148 MB", with 1 KB = 1000 bytes. @param {number} bytes */
export const fileSize = (bytes) => formatter().size(Math.max(1, bytes));

/** @param {string} id */
export const shortId = (id) => clean(id.slice(0, 8), 8);
