"""Everything that somebody with access to a log's files can do to them, chosen at random from a seed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from support.tlog_logs import files_of
from zhibu_tlog.entries import decode_entries, encode_entries
from zhibu_tlog.hashes import HASH_BYTES, hash_leaf
from zhibu_tlog.tiles import Bundle, Tile, list_bundles, read_path


@dataclass(slots=True, kw_only=True)
class Tampered:
    """A log in a directory that is changed and put right again."""

    directory: Path
    size: int
    random: Random
    files: dict[str, bytes]

    def write(self, path: str, data: bytes) -> None:
        """Put something into a file."""
        (self.directory / path).parent.mkdir(parents=True, exist_ok=True)
        (self.directory / path).write_bytes(data)

    def choose_bundle(self) -> tuple[str, list[bytes]]:
        """Give the path and the entries of a bundle of the log as it is."""
        bundle = self.random.choice(list(list_bundles(self.size)))
        return bundle.path, decode_entries(self.files[bundle.path], bundle.width)

    def put_right(self) -> bool:
        """Undo everything; say whether there was anything to undo."""
        now = files_of(self.directory)
        for path in now.keys() - self.files.keys():
            (self.directory / path).unlink()
        for path, data in self.files.items():
            if now.get(path) != data:
                self.write(path, data)
        return now != self.files


def open_for_tampering(directory: Path, size: int, random: Random) -> Tampered:
    """Remember the log as it is."""
    return Tampered(directory=directory, size=size, random=random, files=files_of(directory))


def flip_a_bit(log: Tampered) -> None:
    """Flip a bit anywhere, partial tiles of the past included."""
    path = log.random.choice(sorted(log.files))
    data = bytearray(log.files[path])
    bit = log.random.randrange(len(data) * 8)
    data[bit // 8] ^= 1 << bit % 8
    log.write(path, bytes(data))


def cut_a_file(log: Tampered) -> None:
    """Cut a file off."""
    path = log.random.choice(sorted(log.files))
    log.write(path, log.files[path][: log.random.randrange(len(log.files[path]))])


def lengthen_a_file(log: Tampered) -> None:
    """Write something behind or into a file."""
    path = log.random.choice(sorted(log.files))
    data = log.files[path]
    at = log.random.randrange(len(data) + 1)
    log.write(path, data[:at] + log.random.randbytes(log.random.randint(1, 64)) + data[at:])


def remove_a_file(log: Tampered) -> None:
    """Remove a file that the log as it is needs."""
    bundles = list(list_bundles(log.size))
    tiles = [Tile(level=0, index=bundle.index, width=bundle.width).path for bundle in bundles]
    above = [path for path in log.files if path.startswith("tile/1/") and path == max(log.files, key=_width_at_1)]
    path = log.random.choice(["checkpoint", *(bundle.path for bundle in bundles), *tiles, *above])
    (log.directory / path).unlink()


def remove_an_entry(log: Tampered) -> None:
    """Take an entry out of a bundle."""
    path, entries = log.choose_bundle()
    del entries[log.random.randrange(len(entries))]
    log.write(path, encode_entries(entries))


def insert_an_entry(log: Tampered) -> None:
    """Put an entry into a bundle."""
    path, entries = log.choose_bundle()
    entries.insert(log.random.randint(0, len(entries)), log.random.randbytes(log.random.randint(0, 20)))
    log.write(path, encode_entries(entries))


def replace_an_entry(log: Tampered) -> None:
    """Put another entry of the same length in the place of one."""
    path, entries = log.choose_bundle()
    place = log.random.randrange(len(entries))
    entries[place] = log.random.randbytes(len(entries[place]))
    log.write(path, encode_entries(entries))


def replace_an_entry_and_its_hash(log: Tampered) -> None:
    """Change an entry and what its tile tells of it."""
    bundle = log.random.choice(list(list_bundles(log.size)))
    entries = decode_entries(log.files[bundle.path], bundle.width)
    place = log.random.randrange(len(entries))
    entries[place] += b"!"
    log.write(bundle.path, encode_entries(entries))
    tile = Tile(level=0, index=bundle.index, width=bundle.width).path
    log.write(tile, b"".join(map(hash_leaf, entries)))


def swap_entries(log: Tampered) -> None:
    """Let two entries of a bundle change places."""
    path, entries = log.choose_bundle()
    one, other = log.random.sample(range(len(entries)), 2)
    entries[one], entries[other] = entries[other], entries[one]
    log.write(path, encode_entries(entries))


def move_the_border_of_two_entries(log: Tampered) -> None:
    """Give the end of an entry to the next one: the same bytes in the same order."""
    path, entries = log.choose_bundle()
    place = log.random.randrange(len(entries) - 1)
    moved = log.random.randint(1, len(entries[place]))
    entries[place], entries[place + 1] = entries[place][:-moved], entries[place][-moved:] + entries[place + 1]
    log.write(path, encode_entries(entries))


def reorder_entries(log: Tampered) -> None:
    """Shuffle a bundle."""
    path, entries = log.choose_bundle()
    reordered = list(entries)
    while reordered == entries:
        log.random.shuffle(reordered)
    log.write(path, encode_entries(reordered))


def swap_files(log: Tampered) -> None:
    """Let two files change places."""
    one, other = log.random.sample(sorted(log.files), 2)
    log.write(one, log.files[other])
    log.write(other, log.files[one])


def swap_hashes(log: Tampered) -> None:
    """Let two hashes of a tile change places."""
    path = log.random.choice([path for path, data in log.files.items() if _is_tile_of_several(path, data)])
    data = log.files[path]
    hashes = [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]
    one, other = log.random.sample(range(len(hashes)), 2)
    hashes[one], hashes[other] = hashes[other], hashes[one]
    log.write(path, b"".join(hashes))


def add_a_file(log: Tampered) -> None:
    """Put a tile or bundle where the log has none: behind its end or above its top, or a file that is neither."""
    beyond = log.random.randint(log.size // 256 + 1, 10**7)
    path = log.random.choice(
        [
            Tile(level=0, index=beyond).path,
            Tile(level=1, index=beyond, width=log.random.randint(1, 255)).path,
            Bundle(index=beyond).path,
            Bundle(index=log.size // 256, width=log.size % 256 + 1).path,
            Tile(level=log.random.randint(2, 63), index=0, width=1).path,
            "tile/0/0",
            "checkpoint.old",
        ]
    )
    log.write(path, log.random.randbytes(HASH_BYTES))


def _width_at_1(path: str) -> int:
    lies = read_path(path)
    return lies.width if isinstance(lies, Tile) and lies.level == 1 else 0


def _is_tile_of_several(path: str, data: bytes) -> bool:
    return isinstance(read_path(path), Tile) and len(data) > HASH_BYTES


WAYS: tuple[Callable[[Tampered], None], ...] = (
    flip_a_bit,
    cut_a_file,
    lengthen_a_file,
    remove_a_file,
    remove_an_entry,
    insert_an_entry,
    replace_an_entry,
    replace_an_entry_and_its_hash,
    swap_entries,
    move_the_border_of_two_entries,
    reorder_entries,
    swap_files,
    swap_hashes,
    add_a_file,
)
