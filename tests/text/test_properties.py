"""What holds of any text: nothing is lost on the way to ids and back, and every id has a word."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nextword.text.tokenizer import Kind, Tokenizer
from nextword.text.vocabulary import END, SPECIAL_WORDS, UNKNOWN, Vocabulary

TEXTS = st.text(st.sampled_from("ab é-'.,\n\t 我👨\u200d\u0301\x85\u2028\udc80\x00١א"), max_size=30)
KINDS = st.sampled_from(["words", "whitespace"])


@settings(max_examples=60)
@given(st.lists(TEXTS, max_size=4), KINDS, st.booleans())
def test_a_learned_text_comes_back_from_its_ids(
    texts: list[str], kind: Kind, lowercase: bool
) -> None:
    tokenizer = Tokenizer.learn(texts, kind, lowercase)
    assert len(set(tokenizer.words)) == len(tokenizer)
    for text in texts:
        ids = tokenizer.encode(text)
        assert [tokenizer.words[i] for i in ids] == tokenizer.split(text)
        assert tokenizer.encode(tokenizer.decode(ids)) == ids or kind == "words"
        assert tokenizer.unknown_words(text) == []


@settings(max_examples=60)
@given(st.lists(TEXTS, max_size=4), TEXTS, KINDS, st.booleans())
def test_every_id_is_in_range_whatever_is_read(
    learned: list[str], text: str, kind: Kind, lowercase: bool
) -> None:
    tokenizer = Tokenizer.learn(learned, kind, lowercase)
    ids = tokenizer.encode(text)
    assert all(0 <= i < len(tokenizer) for i in ids)
    known = set(tokenizer.words)
    unknown = [word for word in tokenizer.split(text) if word not in known]
    assert tokenizer.unknown_words(text) == list(dict.fromkeys(unknown))
    # a book may print the special words itself, where words are what stands between spaces
    assert ids.count(tokenizer.unknown_id) >= len(unknown)
    (streamed,) = tokenizer.encode_stream([text])
    assert streamed.tolist() == [*ids, tokenizer.end_id]


@given(
    st.dictionaries(st.sampled_from([*"abcdefgh", UNKNOWN, END]), st.integers(0, 9)),
    st.integers(1, 12),
    st.integers(0, 5),
)
def test_a_vocabulary_loses_no_word_from_count(
    counts: dict[str, int], max_size: int, min_count: int
) -> None:
    given_counts = np.array(list(counts.values()), dtype=np.int64)
    vocabulary = Vocabulary.from_counts(list(counts), given_counts, max_size, min_count)
    assert vocabulary.words[:2] == SPECIAL_WORDS
    assert len(set(vocabulary.words)) == len(vocabulary) == len(vocabulary.counts)
    assert len(vocabulary) <= max(max_size, 2)
    assert int(vocabulary.counts.sum()) == sum(counts.values())
    assert vocabulary.counts[1] == counts.get(END, 0)
    kept = Counter(dict(zip(vocabulary.words[2:], vocabulary.counts[2:].tolist(), strict=True)))
    assert all(counts[word] == number >= max(min_count, 1) for word, number in kept.items())
    assert list(kept) == sorted(kept, key=lambda word: (-kept[word], word))
    left = [n for w, n in counts.items() if w not in vocabulary.words and n >= max(min_count, 1)]
    assert not left or (
        len(vocabulary) == max(max_size, 2) and max(left) <= min(kept.values(), default=9)
    )
    assert all(vocabulary.words[number] == word for word, number in vocabulary.index.items())
