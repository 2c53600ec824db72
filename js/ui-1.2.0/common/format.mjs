// @ts-check
/** Formats numbers, times and untrusted text for the screen, always in English like the other texts. */

const numbers = new Intl.NumberFormat("en");
const plurals = new Intl.PluralRules("en");

/** @param {number} n */
export const number = (n) => numbers.format(n);

/** The singular or the plural, with `{n}` replaced by the count. @param {number} n @param {string} one @param {string} other */
export const plural = (n, one, other) =>
  (plurals.select(n) === "one" ? one : other).replaceAll("{n}", number(n));

/** "18,402 completed, 2 failed": leaves out zeros, with a non-breaking space after each number. @param {[number, string][]} parts */
export const tally = (parts) =>
  parts.filter(([n]) => n > 0).map(([n, word]) => `${number(n)}\u00a0${word}`).join(", ");

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

/** @param {string} locale */
const formatsOf = (locale) => ({
  clock: new Intl.DateTimeFormat(locale, { timeStyle: "short" }),
  seconds: new Intl.DateTimeFormat(locale, { timeStyle: "medium" }),
  day: new Intl.DateTimeFormat(locale, { dateStyle: "long" }),
  dayMonth: new Intl.DateTimeFormat(locale, { day: "numeric", month: "long" }),
  weekday: new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" }),
  weekdayYear: new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long", year: "numeric" }),
});
let formats = formatsOf("en-GB");

/** Write times as this locale does, for example with AM and PM. The words stay English. @param {string} locale */
export function useLocale(locale) {
  try {
    formats = formatsOf(locale);
  } catch (error) {
    // WebKitGTK gives "c" where the system has no language, and Intl throws for it.
    if (!(error instanceof RangeError)) throw error;
  }
}

/** "23 November 2026, 13:48". @param {number} at @param {boolean} [exact] with seconds */
export const dateTime = (at, exact = false) => `${formats.day.format(at)}, ${(exact ? formats.seconds : formats.clock).format(at)}`;

/** "13:48:07". @param {number} at */
export const exactClock = (at) => formats.seconds.format(at);

/** "23 November 2026". @param {number} at */
export const dateOnly = (at) => formats.day.format(at);

/** The number of midnights between two times. @param {number} at @param {number} now */
const daysBetween = (at, now) => Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / DAY);

/** "Today, 14:02", "20 November, 09:14", with the year if it is not this one. @param {number} at @param {number} now */
export function dayAndTime(at, now) {
  const days = daysBetween(at, now);
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  const date = days === 0 ? "Today" : days === 1 ? "Yesterday" : (sameYear ? formats.dayMonth : formats.day).format(at);
  return `${date}, ${formats.clock.format(at)}`;
}

/** "just now", "12 min ago", "3 h ago", "2 days ago". @param {number} at @param {number} now */
export function ago(at, now) {
  const minutes = Math.max(0, Math.floor((now - at) / 60_000));
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  return now - at < DAY ? `${Math.floor(minutes / 60)} h ago` : plural(Math.floor((now - at) / DAY), "{n} day ago", "{n} days ago");
}

/** "14:02". @param {number} at */
export const clockTime = (at) => formats.clock.format(at);

/** "Today", "Sunday 15 November". @param {number | null} midnight @param {number} now */
export function dayHeading(midnight, now) {
  if (midnight === null) return "No usable time";
  const days = daysBetween(midnight, now);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  const sameYear = new Date(midnight).getFullYear() === new Date(now).getFullYear();
  return (sameYear ? formats.weekday : formats.weekdayYear).format(midnight);
}

/** "9.0 s", "3:12", "1:02:10". @param {number} milliseconds */
export function duration(milliseconds) {
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const all = Math.round(milliseconds / 1000);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(all / 3600), Math.floor(all / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(all % 60)}` : `${minutes}:${two(all % 60)}`;
}

/** "45 s", "12 min", "3 h 20 min": rounded, for sums. @param {number} milliseconds */
export function roughDuration(milliseconds) {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return rest && hours < 100 ? `${numbers.format(hours)} h ${rest} min` : `${numbers.format(hours)} h`;
}

/** "a few seconds", "about 45 s", "7 to 30 min", "50 s to 4 min". @param {number} least milliseconds @param {number} most milliseconds */
export function roughRange(least, most) {
  if (most < 10_000) return "a few seconds";
  const [from, to] = [roughDuration(least), roughDuration(most)];
  if (from === to) return `about ${to}`;
  const [number, unit, ...rest] = from.split(" ");
  return !rest.length && to.split(" ")[1] === unit && to.split(" ").length === 2 ? `${number} to ${to}` : `${from} to ${to}`;
}

const UNITS = ["KB", "MB", "GB", "TB"];
const oneDecimal = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** "812 KB", "2.1 MB", "148 MB", with 1 KB = 1000 bytes. @param {number} bytes */
export function fileSize(bytes) {
  let [size, at] = [Math.max(0, bytes) / 1000, 0];
  while (size >= 999.5 && at < UNITS.length - 1) [size, at] = [size / 1000, at + 1];
  if (size < 0.1) return "0.1 KB";
  return `${size < 9.95 ? oneDecimal.format(size) : numbers.format(Math.round(size))} ${UNITS[at]}`;
}

/** @param {string} id */
export const shortId = (id) => clean(id.slice(0, 8), 8);
