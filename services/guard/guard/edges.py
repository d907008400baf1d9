"""Where a value or a word begins and ends, in a text of any script."""

# Both stand in brackets. A letter of another script is no part of what is written in ASCII: many write no blanks.
PART = r"A-Za-z_\d"
# Kana, Han, Hangul and Thai: words follow each other without a blank, or something is hung on them.
UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\u0e00-\u0e7f"
