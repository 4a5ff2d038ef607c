"""What a text says to an assistant and hardly to a person: kinds of phrases, as patterns over folded text."""

import re

_MACHINE = r"(?:a\.?i\.?|llm|language model|chat ?bot|bot|assistant|copilot|ai agent|agent|automated system)s?"
_WHO = r"(?:user|owner|developer|administrator|admin|operator|creator|system|principal)"
_SAID = r"(?:instruction|prompt|command|rule|direction|directive|guideline|task|request|order|context|constraint)s?"

_FORGET = (
    # The verb and what is to be forgotten, near each other: English, then ten other languages.
    rf"\b(?:ignore|disregard|forget|override|bypass|discard|set aside)\b[^.\n]{{0,50}}\b{_SAID}\b",
    r"\b(?:ignorier\w*|vergiss|vergessen sie|missachte\w*)\b[^.\n]{0,60}(?:anweisung|befehl|regel|aufgabe|vorgabe)",
    r"\b(?:ignore[rz]?|oublie[rz]?)\b[^.\n]{0,60}\b(?:instruction|consigne|règle|ordre)s?\b",
    r"\b(?:ignor[ae]|olvid[ae]|descart[ae])\b[^.\n]{0,60}\b(?:instrucci|órdenes|reglas|indicaci)",
    r"\b(?:ignora|dimentica)\w*\b[^.\n]{0,60}\b(?:istruzion|regole|ordini)",
    r"\b(?:ignore|esqueça|desconsidere)\b[^.\n]{0,60}\b(?:instruç|regras|ordens)",
    r"\b(?:negeer|vergeet)\b[^.\n]{0,60}\b(?:instructie|opdracht|regel)",
    r"\b(?:zignoruj|zapomnij)\w*\b[^.\n]{0,60}\b(?:instrukcj|polece|zasad)",
    r"(?:игнорируй|забудь|не обращай внимания)[^.\n]{0,60}(?:инструкц|указани|правил|команд)",
    r"(?:忽略|无视|忘记|忽視|無視)[^。\n]{0,20}(?:指令|指示|说明|規則|规则|命令|提示)",
    r"(?:指示|命令|指令|ルール)[^。\n]{0,8}(?:無視|忘れ)",
    r"(?:지시|명령|지침)[^.\n]{0,12}(?:무시|잊)",
)
_ADDRESSED = (
    (
        rf"\b(?:dear|hey|hello|hi|attention|note (?:to|for)|message (?:to|for)|instructions? (?:to|for))\b[ ,:]{{1,3}}"
        rf"(?:the |any |all |this |my |your )?{_MACHINE}\b"
    ),
    rf"\b(?:if|when|since|because|as) you(?: are|'re) an? [^.\n]{{0,20}}{_MACHINE}\b",
    rf"\b(?:any|all|every|the) {_MACHINE} (?:reading|processing|(?:that|who) (?:reads?|processes)|must|should|shall)\b",
    r"\byou(?: are|'re) now (?:an?|the|in|acting|no longer)\b",
    r"\byour (?:system prompt|(?:previous|original) instructions|programming|training data|tools|functions)\b",
    r"\b(?:use|call|invoke|run|execute)\b [^.\n]{0,30}\b(?:tool|function|api)\b[^.\n]{0,40}\b(?:to|with|and|on)\b",
)
_SECRET = (
    (
        rf"\b(?:do not|don't|never|must not)\b (?:ever )?(?:tell|inform|notify|alert|warn|mention|show|reveal|ask)\b"
        rf"[^.\n]{{0,40}}\b(?:the|your|this to the) {_WHO}\b"
    ),
    rf"\bwithout (?:telling|informing|notifying|alerting|asking|confirming with)\b[^.\n]{{0,20}}\b{_WHO}\b",
)
_CLAIMED = (
    rf"\b(?:message|instruction|request|note|notice|order)s?\b[^.\n]{{0,20}}\bfrom (?:me|(?:the|your) {_WHO})\b",
    rf"\bi am (?:the|your) {_WHO}\b",
    (
        rf"\b(?:the|your) {_WHO} (?:has |have )?(?:wants?|asked|asks|authori[sz]ed|approved|instructed|requires?)\b"
        r"[^.\n]{0,20}\b(?:you|this)\b"
    ),
    rf"\bon behalf of (?:the|your) {_WHO}\b",
)
_FIRST = (
    (
        r"\b(?:before|instead of|after|once you|prior to)\b[^.\n]{0,60}\b(?:your|the|my|this|that)\b"
        r"[^.\n]{0,20}\b(?:task|query|prompt)\b"
    ),
    r"\b(?:new|real|actual|updated|additional|next) (?:task|instructions?|objective|goal)s?\b[^\n]{0,5}[:=]",
)
_MARKERS = (
    r"<\|[a-z_]{2,20}\|>|\[/?inst\]|<</?sys>>|(?m:^ ?#{2,4} ?(?:system|instruction|assistant|user|response)s?\b)",
    r"</?(?:system|assistant|user|human|instructions?|system[_-]\w{1,20}|admin|developer|prompt)(?: [^<>\n]{0,60})?>",
    r"(?m:^ ?\**\[?(?:system|assistant|developer)(?: (?:message|prompt|note|override))?\]?\**:)",
    r"\b(?:begin|start|end) of (?:system|user|tool|assistant) (?:message|prompt|result|output|turn)\b",
)
_CALLS = (
    r"</?(?:tool_calls?|function_calls?|tool_use|tool_result|function_results?|invoke)\b[^<>\n]{0,80}>",
    r"\"(?:name|tool|function|action|tool_name)\" ?: ?\"[\w.-]{2,60}\" ?, ?\"(?:arguments|args|parameters|input)\" ?:",
)


def _kinds(*kinds: tuple[str, tuple[str, ...]]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((says, re.compile("|".join(f"(?:{one})" for one in patterns))) for says, patterns in kinds)


ORDERS = _kinds(
    ("it says to forget instructions", _FORGET),
    ("it speaks to an assistant", _ADDRESSED),
    ("it asks for secrecy from the user", _SECRET),
    ("it claims to speak for the user or the system", _CLAIMED),
    ("it puts itself before the task", _FIRST),
)
"""What each kind of phrase is called, and how it is recognised in text without capitals and wrapped lines."""

FORMS = _kinds(
    ("markers of roles", _MARKERS),
    ("calls of tools, written out", _CALLS),
)
"""What belongs to the format of a chat and not to words, recognised line by line."""
