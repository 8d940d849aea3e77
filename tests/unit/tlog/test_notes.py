"""Keys, notes, checkpoints and cosignatures: published examples, and everything that is spelt or signed otherwise."""

from datetime import UTC, datetime, timedelta

import pytest
from support.tlog_logs import LOG_KEY, ORIGIN, OTHER_KEY, SECOND_WITNESS_KEY, WITNESS_KEY, signer
from zhibu_tlog.checkpoints import Checkpoint, open_checkpoint, read_checkpoint, sign_checkpoint
from zhibu_tlog.cosignatures import check_quorum, list_cosignatures, read_cosignatures
from zhibu_tlog.hashes import EMPTY_ROOT
from zhibu_tlog.keys import SignatureType, VerifierKey, read_signer_key, read_verifier_key
from zhibu_tlog.notes import Note, NoteRefusedError, Signature, check_note, read_note, sign_text
from zhibu_tlog.spelling import MalformedError

AT = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)
ROOT = bytes(range(32))
SIGNED = sign_checkpoint(Checkpoint(origin=ORIGIN, size=7, root=ROOT), LOG_KEY)
LOG = LOG_KEY.verifier
WITNESSES = (WITNESS_KEY.verifier, SECOND_WITNESS_KEY.verifier)

# The example of c2sp.org/signed-note.
SPECIFIED_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPECIFIED_NOTE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""
# The keys of the examples of Go's golang.org/x/mod/sumdb/note.
GO_SIGNER = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def cosigned(*keys: tuple[object, timedelta]) -> Note:
    """Give the checkpoint with the cosignatures of these witnesses, each at its distance from the usual time."""
    text = SIGNED.note.text
    lines = [sign_text(text, key, at=AT + later) for key, later in keys]  # pyright: ignore[reportArgumentType]
    return Note(text=text, signatures=(*SIGNED.note.signatures, *lines))


def test_the_note_of_the_specification_is_right() -> None:
    key = read_verifier_key(SPECIFIED_KEY)
    note = read_note(SPECIFIED_NOTE.encode())
    assert [checked for checked, _ in check_note(note, [key])] == [key]
    assert note.data == SPECIFIED_NOTE.encode()
    assert key.text == SPECIFIED_KEY


def test_the_note_of_go_is_made_and_checked() -> None:
    key = read_signer_key(GO_SIGNER)
    assert (key.text, key.verifier.text) == (GO_SIGNER, GO_VERIFIER)
    assert sign_text(GO_TEXT, key).line == GO_LINE
    assert "AYEKFALV" not in repr(key)


@pytest.mark.parametrize(
    "text",
    [
        "", "a+b", "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/fo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+", "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U==",
        "example.com/ foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "x" * 2000,
        "example.com/foo+530d903a+CekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    ],
)  # fmt: skip
def test_a_key_that_is_spelt_otherwise_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        read_verifier_key(text)
    with pytest.raises(MalformedError):
        read_signer_key(f"PRIVATE+KEY+{text}")


@pytest.mark.parametrize("kind", list(SignatureType))
def test_keys_come_out_of_their_text_as_they_went_in(kind: SignatureType) -> None:
    key = signer("w.example", kind)
    assert read_signer_key(key.text) == key
    assert read_verifier_key(key.verifier.text) == key.verifier
    with pytest.raises(MalformedError):
        read_signer_key(key.verifier.text)


@pytest.mark.parametrize(
    "note",
    [
        b"", b"\n", b"text\n", b"text\n\n", b"text\n\n\n", "text\n\n— a QUFBQUE=".encode(), b"text\n\n- a QUFBQUE=\n",
        "text\n\n— a QUFBQQ==\n".encode(), "text\n\n— a QUFBQUF=\n".encode(), "text\n\n—  QUFBQUE=\n".encode(),
        "text\n\n— a+b QUFBQUE=\n".encode(), "text\n\n— a\u00a0b QUFBQUE=\n".encode(), "te\txt\n\n— a QUFBQUE=\n".encode(),
        b"\xff\n\n\xe2\x80\x94 a QUFBQUE=\n", "text\n\n— a QUFBQUE=\r\n".encode(), "text\n\n— a QUFBQUE=\nx\n".encode(),
        ("text\n\n" + "— a QUFBQUE=\n" * 101).encode(), b"x" * 200_000 + "\n\n— a QUFBQUE=\n".encode(),
    ],
)  # fmt: skip
def test_what_is_no_note_is_refused(note: bytes) -> None:
    with pytest.raises(MalformedError):
        read_note(note)


def test_signatures_by_unknown_keys_are_passed_over() -> None:
    stranger = Signature(name=ORIGIN, key_id=1, signature=b"x" * 64)
    note = Note(text=SIGNED.note.text, signatures=(stranger, *SIGNED.note.signatures))
    assert check_note(note, [LOG]) == [(LOG, SIGNED.note.signatures[0])]
    with pytest.raises(NoteRefusedError):
        check_note(note, [OTHER_KEY.verifier])


def test_a_wrong_signature_under_the_name_of_a_known_key_refuses_the_note() -> None:
    wrong = Signature(name=LOG.name, key_id=LOG.key_id, signature=b"x" * 64)
    with pytest.raises(NoteRefusedError):
        check_note(Note(text=SIGNED.note.text, signatures=(*SIGNED.note.signatures, wrong)), [LOG])


def test_no_bit_of_a_checkpoint_with_one_signature_can_be_changed() -> None:
    data = SIGNED.note.data
    assert open_checkpoint(data, origin=ORIGIN, keys=[LOG]).checkpoint == SIGNED.checkpoint
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((MalformedError, NoteRefusedError)):
            open_checkpoint(bytes(changed), origin=ORIGIN, keys=[LOG])


@pytest.mark.parametrize("length", [1, 7, 8, 63, 65, 71, 73])
def test_a_signature_of_another_length_is_wrong(length: int) -> None:
    for line in cosigned((WITNESS_KEY, timedelta())).signatures:
        cut = Signature(name=line.name, key_id=line.key_id, signature=(line.signature + bytes(9))[:length])
        with pytest.raises(NoteRefusedError):
            check_note(Note(text=SIGNED.note.text, signatures=(cut,)), [LOG, *WITNESSES])


def test_a_checkpoint_with_further_lines_is_read_and_written() -> None:
    text = f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nextension\n"
    read = read_checkpoint(text)
    assert read == Checkpoint(origin=ORIGIN, size=0, root=EMPTY_ROOT, extensions=("extension",))
    assert read.text == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\n",
        "a\n01\n{root}\n",
        "a\n1\nQQ==\n",
        "\n1\n{root}\n",
        "a\n1\n{root}",
        "a\n1\n{root}\n\nb\n",
        "a\n-1\n{root}\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        read_checkpoint(text.format(root="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="))


def test_a_checkpoint_of_another_log_or_of_an_empty_log_with_a_root_is_refused() -> None:
    with pytest.raises(NoteRefusedError):
        open_checkpoint(SIGNED.note.data, origin="log.example/other", keys=[LOG])
    empty = sign_checkpoint(Checkpoint(origin=ORIGIN, size=0, root=ROOT), LOG_KEY)
    with pytest.raises(MalformedError):
        open_checkpoint(empty.note.data, origin=ORIGIN, keys=[LOG])


def test_cosignatures_say_who_and_when() -> None:
    note = cosigned((WITNESS_KEY, timedelta()), (SECOND_WITNESS_KEY, timedelta(hours=1)))
    found = check_quorum(read_note(note.data), WITNESSES, quorum=2)
    assert [(one.witness, one.cosigned_at) for one in found] == [
        (WITNESSES[0], AT),
        (WITNESSES[1], AT + timedelta(hours=1)),
    ]
    assert list_cosignatures(SIGNED.note, WITNESSES) == []


def test_of_several_cosignatures_by_one_witness_the_latest_counts_once() -> None:
    note = cosigned((WITNESS_KEY, timedelta(hours=1)), (WITNESS_KEY, timedelta()))
    assert [one.cosigned_at for one in list_cosignatures(note, WITNESSES)] == [AT + timedelta(hours=1)]
    with pytest.raises(NoteRefusedError):
        check_quorum(note, WITNESSES, quorum=2)


def test_one_witness_under_two_names_counts_once() -> None:
    again = signer("witness.example/again", SignatureType.COSIGNATURE, seed=WITNESS_KEY.name)
    note = cosigned((WITNESS_KEY, timedelta()), (again, timedelta()))
    with pytest.raises(NoteRefusedError):
        check_quorum(note, (WITNESS_KEY.verifier, again.verifier), quorum=2)


def test_no_bit_of_a_cosignature_can_be_changed() -> None:
    line = cosigned((WITNESS_KEY, timedelta())).signatures[1]
    for bit in range(len(line.signature) * 8):
        changed = bytearray(line.signature)
        changed[bit // 8] ^= 1 << bit % 8
        wrong = Signature(name=line.name, key_id=line.key_id, signature=bytes(changed))
        with pytest.raises(NoteRefusedError):
            list_cosignatures(Note(text=SIGNED.note.text, signatures=(wrong,)), WITNESSES)


def test_a_cosignature_is_no_signature_of_the_log_and_the_other_way_round() -> None:
    same = VerifierKey(name=LOG.name, type=SignatureType.COSIGNATURE, public=LOG.public)
    assert same.key_id != LOG.key_id
    posing = Signature(name=same.name, key_id=same.key_id, signature=SIGNED.note.signatures[0].signature)
    with pytest.raises(NoteRefusedError):
        list_cosignatures(Note(text=SIGNED.note.text, signatures=(posing,)), [same])
    with pytest.raises(ValueError, match="cosignatures"):
        list_cosignatures(SIGNED.note, [LOG])


def test_an_answer_of_a_witness_is_believed_only_from_the_witness_asked() -> None:
    line = cosigned((WITNESS_KEY, timedelta())).signatures[1]
    assert read_cosignatures(SIGNED.note, line.line.encode(), WITNESSES[0]) == [line]
    with pytest.raises(NoteRefusedError):
        read_cosignatures(SIGNED.note, line.line.encode(), WITNESSES[1])
    for answer in (b"", b"409\n", b"\xff"):
        with pytest.raises(MalformedError):
            read_cosignatures(SIGNED.note, answer, WITNESSES[0])
