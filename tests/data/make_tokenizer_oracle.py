"""Write tokenizer_oracle.json: what keras-bert 0.89 makes of some texts.

    python make_tokenizer_oracle.py

runs in an environment with keras-bert 0.89.0 and tensorflow-cpu 2.15.1 (any Python whose Unicode
tables are 14.0.0, such as 3.11, gives the committed file). The sentences were written for this
file; the rest is made by a seeded generator.
"""

import json
import random
from pathlib import Path

from keras_bert import Tokenizer

VOCABULARY = """
[PAD] [UNK] [CLS] [SEP] [MASK]
a b c d e f g h i j k l m n o p q r s t u v w x y z A B C D E K S T X
##a ##b ##c ##d ##e ##f ##g ##h ##i ##l ##m ##n ##o ##r ##s ##t ##u ##y ##z ##E ##S
0 1 2 3 5 ##0 ##1 ##9 . , ! ? ' " - ( ) [ ] # $ / ~ ^ ` : ; … “ ” ’ — « »
the The of and to in is was it on he she they film Film good bad movie un ##aff ##able ##ing ##ed
##ly ##s ##er ##ness re ##play play work token ##ize ##izer word ##piece straße stra ##ß ##sse
cafe café naive naïve ##ïve ##ive uber über ##ber istanbul İstanbul ##stanbul σοφος σοφοσ σοφ ##ος
##οσ ##ς ##σ ος привет При ##вет ##ет мир ё е й и ##й ##и
的 一 是 不 了 人 我 在 酒 店 房 间 很 好 吃 嘛 呢 吗 天 气 ， 。 ？ 、 「 （ ～ 中 文 ##文 ##中
こ ##ん ##に ##ち ##は カ ##タ ナ か ##か ᄀ ##ᅡ ##ᆨ 한 ##국 국 ##어
שלום ##ום ##ם مرح ##با ##م ไท ##ย न ##म ##स 𠀀
""".split()  # noqa: SIM905

TEXTS = """
the film was good and it was bad
The Film is unaffable, un-affable and UNAFFABLE!
he replayed the play; she is replaying it...
tokenizers tokenize wordpieces: "word" 'piece' (token)
goodness, badly-worked works $5.30 ~10^2 `code` #tag ##ing a/b x_y
don't can't it's they're [MASK] [CLS] [SEP] [UNK] [PAD]
xylophone zzz qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq
e-mail: someone@example.com, https://example.com/?q=1&r=2#top
1,234.56 10:30 2019-12-31 3.14e-10 0x1F 50% <b>bold</b> a|b a\\b {x}
“Quoted” — with ‘typographic’ marks… «comme ça» „so“ ‹x› ¿qué? ¡sí!
café naïve über Zürich straße STRASSE Straße ẞ résumé Ångström Łódź
cafe\u0301 nai\u0308ve u\u0308ber A\u030angstro\u0308m o\u0302\u0323 \u0301leading
İstanbul istanbul ISTANBUL ıI İİ ǅ ǆ Ǆ ŉ ǰ ﬁ ﬀ Ⅷ ℵ K Å
ΣΟΦΟΣ σοφος Σοφός ΟΣ ΟΔΥΣΣΕΥΣ Σ ΑΣ. ΑΣ,Β ΑΣ'Α Σ\u0301 ΑΣ\u00adΒ
Привет, мир! ПРИВЕТ Ёлка йод ёлка И\u0306 Українська їжа
我在酒店吃了，房间很好！天气不好吗？
嘛呢，吃了吗？ 中文abc中文123 「引用」（括号）、。～
这是iPhone的café，很Good。  一\u3000二\u3000三
酒店的房间有film and movie吗？A股 B超 5天
こんにちは カタカナ ガ カ\u3099 が か\u3099 ﾊﾟｰﾃｨｰ 日本語のテキスト
한국어 각 힣 안녕하세요 \u1100\u1161\u11a8 ㄱㄴ 한글과 English
שלום עולם שָׁלוֹם مرحبا مَرْحَبًا العالم ١٢٣
ไทย สวัสดีชาวโลก नमस्ते हिन्दी বাংলা தமிழ் ລາວ ខ្មែរ မြန်မာ
𠀀𠀁 𪜀 丽 \u9fff\ua000 㐀䶿 豈 々 〇 ヶ 𝒜 𝟘 😀👍🏽 👨‍👩‍👧 🇩🇪
tab\there  two  spaces \u00a0nbsp\u00a0 \u2003em\u2009thin \u1680ogham \u202fnarrow
zero\u200bwidth zero\u200cjoin zero\u200djoin soft\u00adhyphen \ufeffbom \u2060word \u202ertl\u202c
null\x00char bell\x07 vt\x0bvt ff\x0cff fs\x1cfs nel\x85nel del\x7f \ufffd rep\ufffdl
line\u2028separator para\u2029graph \u2028 \u2029 a\u2028\u2028b
\ue000private \ufdd0non \uffff \U0010ffff \U000e0001tag \ud800 lone\ud800surrogate
\U0001d15e\U0001d165 \U0001d165\U0001d16d \u302e\u302f가\u302e\u0301 \u0f71\u0f72\u0f39 \u0f73
the\tfilm\rwas\ngood
!!! ... ??? --- ### ,,, ((())) [[[]]]
a 的 b 一c 是d不 e了 人f
word word word word word word word word word word word word word word word word word word
unaffable unaffableness affable ableaffun ununun un ##aff ##able #aff
""".strip("\n").split("\n")
TEXTS += ["", " ", "\t\n", "\x00", "\u0301", "a", "的", ".", "\u200b \u200b"]
TEXTS += ["the " * 20, "天" * 30]

REMATCH = [
    ("All rights reserved.", ["[UNK]", "righs", "[UNK]", "ser", "[UNK]", "[UNK]"]),
    ("#hash tag ##", ["#", "hash", "tag", "##"]),
    ("嘛呢，吃了吗？", ["[UNK]", "呢", "，", "[UNK]", "了", "吗", "？"]),
    ("  吃了吗？    ", ["吃", "了", "吗", "？"]),
    ("", []),
    ("", ["a"]),
    ("  ", ["a", "##b"]),
    ("text", []),
    ("İstanbul'da ΟΔΟΣ", ["istanbul", "'", "da", "οδος"]),
]


def fuzzed(rng, characters, longest):
    return "".join(rng.choice(characters) for _ in range(rng.randrange(longest)))


def fuzzed_texts(rng, count):
    # Blocks in which the Unicode versions of today's Pythons do not differ.
    blocks = [range(32, 127), range(32, 127), range(160, 592), range(768, 1328)]
    blocks += [range(0x4E00, 0x4F00), range(0x3000, 0x3100), range(0xAC00, 0xAD00)]
    blocks += [range(0x0620, 0x0660), range(0x0F40, 0x0F88), range(0x1D15E, 0x1D1AE)]
    blocks += [range(0x2000, 0x2065), range(0x1E00, 0x1F00), range(32)]
    texts = []
    for _ in range(count):
        characters = [chr(rng.choice(rng.choice(blocks))) for _ in range(12)] + list("  abΣ的.")
        texts.append(fuzzed(rng, characters, 24))
    return texts


def fuzzed_rematch(rng, count):
    cases = []
    for _ in range(count):
        characters = rng.choice(["ab c#", "abcde  .É", "天气 好，a", "aΣ ßİ\t\u3000é\u0301"])
        text = fuzzed(rng, characters, 16)
        tokens = []
        for word in text.split() if rng.random() < 0.6 else text:
            change = rng.random()
            if change < 0.15:
                tokens.append("[UNK]")
            elif change < 0.3:
                tokens.append(word[1:])
            elif change < 0.4:
                tokens.append("##" + fuzzed(rng, characters, 4))
            elif change < 0.6:
                tokens += [word[:1], "##" + word[1:]]
            elif change < 0.95:
                tokens.append(word.lower())
        cases.append((text, tokens))
    return cases


def main():
    rng = random.Random(20220101)
    texts = TEXTS + fuzzed_texts(rng, 160)
    document = {
        "origin": "keras-bert 0.89.0; see make_tokenizer_oracle.py",
        "vocabulary": " ".join(VOCABULARY),
        "texts": texts,
        "results": [],
        "rematch": [],
    }
    token_dict = {token: index for index, token in enumerate(VOCABULARY)}
    for cased in (False, True):
        tokenizer = Tokenizer(token_dict, cased=cased)
        for i, text in enumerate(texts):
            second = texts[i - 1]
            max_len = 3 + i % 20
            document["results"].append(
                [
                    cased,
                    i,
                    # No token holds a space: words end there.
                    " ".join(tokenizer.tokenize(text)),
                    max_len,
                    tokenizer.encode(text, max_len=max_len)[0],
                    tokenizer.encode(text, second, max_len=max_len),
                ]
            )
        for text, tokens in REMATCH + fuzzed_rematch(rng, 100):
            places = Tokenizer.rematch(text, tokens, cased=cased)
            document["rematch"].append([text, tokens, cased, places])
    path = Path(__file__).with_name("tokenizer_oracle.json")
    # A line for each entry, so that differences can be read.
    lines = []
    for name, value in document.items():
        dumped = [json.dumps(entry, separators=(",", ":")) for entry in value]
        body = "[\n" + ",\n".join(dumped) + "\n]" if isinstance(value, list) else json.dumps(value)
        lines.append(f'"{name}":{body}')
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="ascii", newline="\n")


if __name__ == "__main__":
    main()
