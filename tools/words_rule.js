/**
 * A rule for ESLint: texts that people read stand in the catalogues (js/ui-<version>/words), and code names them by their keys.
 *
 * Where the code shows a text, any word is reported. Elsewhere only what reads like a sentence is, because ids, classes and names of keys
 * are texts too. Messages of errors are for the log.
 */

/** The properties and attributes whose values are shown or spoken. */
const SHOWN = new Set(["label", "title", "detail", "text", "small", "placeholder", "alt", "textContent", "data", "aria-label", "aria-description", "aria-valuetext", "data-tip"]);
/** The functions that show arguments, with the places of the first one that is shown, and of the first after them. */
const SHOWING = new Map(Object.entries({
  el: [2], append: [0], replaceChildren: [0], replaceWith: [0], createTextNode: [0], sentence: [0], sentences: [0],
  say: [0, 1], sayLater: [0, 1], sayOf: [1, 2], setTip: [1, 2], iconButton: [1, 2], linkButton: [0, 1], hint: [1, 2], tick: [0, 1], pageHead: [0, 1],
}));

const WORD = /\p{L}{2,}/u;
const SENTENCE = /(?:^|[\s“(])\p{Lu}[\p{L}’]+,? (?:[\p{L}\d’“]+,? ?)+|(?:^|\s)\p{Ll}[\p{Ll}’]+ (?:[\p{L}\d’]+ )*[\p{L}\d’]+[.?!…:]\s*$/u;

const nameOf = (node) => (node?.type === "MemberExpression" ? node.property.name : (node?.name ?? node?.value));

/** The strings that an expression may have as its value, with their nodes. */
function strings(node) {
  switch (node?.type) {
    case "Literal":
      return typeof node.value === "string" ? [[node, node.value]] : [];
    case "TemplateLiteral":
      return [...node.quasis.map((each) => [each, each.value.cooked ?? ""]), ...node.expressions.flatMap(strings)];
    case "ConditionalExpression":
      return [...strings(node.consequent), ...strings(node.alternate)];
    case "LogicalExpression":
      return [...strings(node.left), ...strings(node.right)];
    case "BinaryExpression":
      return node.operator === "+" ? [...strings(node.left), ...strings(node.right)] : [];
    case "ArrayExpression":
      return node.elements.flatMap(strings);
    case "SpreadElement":
      return strings(node.argument);
    default:
      return [];
  }
}

/** Whether a text is for the log: a part of an error. */
function isOfError(node) {
  for (let each = node; each; each = each.parent) {
    if (each.type === "ThrowStatement" || (each.type === "NewExpression" && /Error$/.test(nameOf(each.callee) ?? ""))) return true;
    if (each.type === "CallExpression" && each.callee.property?.type === "PrivateIdentifier" && nameOf(each.callee) === "fail") return true;
  }
  return false;
}

export const wordsRule = {
  meta: { type: "problem", schema: [], messages: { outside: "“{{text}}” is a text of the interface: put it into words/en.json, and name it by its key." } },
  create(context) {
    const reported = new Set();
    const report = (node, text) => {
      if (reported.has(node) || isOfError(node)) return;
      reported.add(node);
      context.report({ node, messageId: "outside", data: { text: text.trim().slice(0, 60) } });
    };
    /** Under the name `text` there are also names of icons and kinds, such as "file". */
    const shown = (expression, property = "") => {
      for (const [node, text] of strings(expression)) if (WORD.test(text) && !(property === "text" && /^[a-z]+$/.test(text))) report(node, text);
    };
    return {
      Literal: (node) => typeof node.value === "string" && SENTENCE.test(node.value) && report(node, node.value),
      TemplateElement: (node) => SENTENCE.test(node.value.cooked ?? "") && report(node, node.value.cooked),
      Property: (node) => !node.computed && SHOWN.has(nameOf(node.key)) && shown(node.value, nameOf(node.key)),
      AssignmentExpression: (node) => node.left.type === "MemberExpression" && SHOWN.has(nameOf(node.left)) && shown(node.right),
      CallExpression(node) {
        const name = nameOf(node.callee);
        if (name === "setAttribute" && SHOWN.has(node.arguments[0]?.value)) shown(node.arguments[1]);
        if (SHOWING.has(name)) for (const argument of node.arguments.slice(...SHOWING.get(name))) shown(argument);
      },
    };
  },
};
