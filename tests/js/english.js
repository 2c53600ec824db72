/** Loads the words in English before a test, as the panel does: `node --import ./tests/js/english.js --test …`. */

import { startWords } from "#ui/common/words.mjs";
import { readFile } from "./languages.js";

await startWords(readFile);
