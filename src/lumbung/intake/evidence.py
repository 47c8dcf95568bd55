"""The evidence store: the delivered bytes, each file named by its sha256.

The store may hold personal data, so only its owner may read its folders and files, and every file
is encrypted with a key of its own (`lumbung.intake.sealed_file`). The keys are elsewhere
(`FileKeys`): when one is destroyed, no copy of the file opens any more. The store looks at the
first bytes of a file to identify the type, and opens no file otherwise. Files of earlier versions
are in clear until `encrypt` was called.

Where pulls run on several machines, an object store holds every file, and each machine's folder is
a cache of it. A file is named by its content and never changes, so no copy can be outdated.
"""

from __future__ import annotations

import io
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TextIO, overload

from lumbung.errors import ConfigurationError, LumbungError, ServiceError
from lumbung.files import write_private
from lumbung.intake import sealed_file

if TYPE_CHECKING:
    from upath import UPath

MAX_BYTES = 4 << 30
"""The largest file that is kept."""

_PIECE = 1 << 20
_TIMEOUT_SECONDS = 60
_HEAD = 512
_NAME = re.compile("[0-9a-f]{64}")
_TYPES = (  # a pattern of the first bytes, and the type; the first pattern that matches decides
    (rb"\x89PNG\r\n\x1a\n", "image/png"),
    (rb"\xff\xd8\xff", "image/jpeg"),
    (rb"GIF8[79]a", "image/gif"),
    (rb"RIFF....WEBP", "image/webp"),
    (rb"RIFF....WAVE", "audio/wav"),
    (rb"II\*\0|MM\0\*", "image/tiff"),
    (rb"....ftyp(?:heic|heix|mif1|msf1)", "image/heic"),
    (rb"....ftypM4A", "audio/mp4"),
    (rb"....ftyp3g", "video/3gpp"),
    (rb"....ftypqt", "video/quicktime"),
    (rb"....ftyp", "video/mp4"),
    (rb"\x1a\x45\xdf\xa3", "video/webm"),
    (rb"OggS", "audio/ogg"),
    (rb"#!AMR", "audio/amr"),
    (rb"ID3[\x02-\x04]|\xff[\xfb\xf3\xf2]", "audio/mpeg"),
    (rb"%PDF-", "application/pdf"),
    (rb"PK(?:\x03\x04|\x05\x06)", "application/zip"),  # also docx, xlsx, ods
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),  # doc, xls, encrypted xlsx
    (rb"\x1f\x8b", "application/gzip"),
    (rb"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (rb"Rar!\x1a\x07", "application/vnd.rar"),
    (rb"MZ.{,510}\0|\x7fELF", "application/x-executable"),
    (rb"\{\\rtf", "application/rtf"),
    # HTML: WHATWG MIME Sniffing, 7.1
    (
        rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*"
        rb"<(?:!doctype html|html|head|body|script|iframe|title|style|table|div|form|h1|font|br|p"
        rb"|a|b)[\s>]",
        "text/html",
    ),
    (rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml|!doctype|[a-z])", "text/xml"),
    (rb"BEGIN:VCARD", "text/vcard"),
    (rb"[^\x00-\x08\x0e-\x1a\x1c-\x1f]+\Z", "text/plain"),
)
_SNIFFED = [(re.compile(pattern, re.DOTALL | re.IGNORECASE), kind) for pattern, kind in _TYPES]


@dataclass(frozen=True)
class Kept:
    """A file in the store.

    Attributes:
        sha256: of its content, 32 bytes.
        size: of its content, in bytes.
        path: of the encrypted file.
        key: opens it; None: an earlier version kept it in clear.
    """

    sha256: bytes
    size: int
    path: Path
    key: bytes | None = field(repr=False)

    @overload
    def open(self, mode: Literal["rb"]) -> io.BufferedReader: ...

    @overload
    def open(self, *, encoding: str, errors: str = ..., newline: str | None = ...) -> TextIO: ...

    def open(
        self,
        mode: str = "r",
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> io.BufferedReader | TextIO:
        """Open its content for reading, as `Path.open` does.

        Raises:
            ServiceError: when it was changed, here or while it is read.
        """
        if self.key is not None:
            stream = sealed_file.open_sealed(self.path, self.key)
        else:
            stream = self.path.open("rb")
            if sealed_file.key_id(stream.read(sealed_file.HEAD)):  # encrypted since it was found
                stream.close()
                raise sealed_file.damaged(str(self.path))
            stream.seek(0)
        return stream if mode == "rb" else io.TextIOWrapper(stream, encoding, errors, newline)

    @property
    def media_type(self) -> str:
        """The media type (IANA) according to its first bytes, whatever the file was called."""
        with self.open("rb") as file:
            head = file.read(_HEAD)
        found = (kind for pattern, kind in _SNIFFED if pattern.match(head))
        return next(found, "application/octet-stream")

    def is_page_for(self, claimed: str | None) -> bool:
        """Whether it is an HTML page (a login, an error) that was sent instead of the file.

        Args:
            claimed: the media type that the file should have; None if it is not known.
        """
        is_text = claimed is None or claimed.startswith(("text/", "application/xhtml"))
        return not is_text and self.media_type == "text/html"


class Readable(Protocol):
    """What gives its bytes piece by piece, such as a file."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


class TooLargeError(LumbungError):
    """A stream is larger than any file that is kept."""


class FileKeys(Protocol):
    """Where the keys of files are."""

    def add(self, key_id: bytes, sha256: bytes, key: bytes) -> None:
        """Store a key, and return when it survives a power cut."""

    def find(self, key_id: bytes, sha256: bytes) -> bytes | None:
        """The key of a file with this content; None: it was destroyed, or never stored."""


class MemoryKeys:
    """Keys that end with this process, for a store that ends with it too."""

    def __init__(self) -> None:
        self._keys: dict[bytes, bytes] = {}

    def add(self, key_id: bytes, sha256: bytes, key: bytes) -> None:
        """As `FileKeys.add`."""
        self._keys[key_id + sha256] = key

    def find(self, key_id: bytes, sha256: bytes) -> bytes | None:
        """As `FileKeys.find`."""
        return self._keys.get(key_id + sha256)


class Evidence:
    """A store in a folder (`LUMBUNG_HOME/evidence`): `ab/cdef...`.

    A file has its name only after its key was stored: a process that is killed leaves no file that
    nobody can open.

    Args:
        folder: of the store.
        keys: of its files.
        known: another store in which `recall` searches too; a dry run's temporary store has one.
        shared: the address of an object store (`s3://bucket/prefix`) that has the files of all
            machines.

    Raises:
        ConfigurationError: when `shared` is not such an address.
    """

    def __init__(
        self, folder: Path, keys: FileKeys, known: Path | None = None, shared: str | None = None
    ) -> None:
        self.folder = folder
        self._keys = keys
        self._stores = (folder,) if known is None else (folder, known)
        self._shared = None if shared is None else _open(shared)
        self._unflushed: list[Kept] = []

    def find(self, digest: bytes) -> Kept | None:
        """The file with this sha256; None: it is not kept, it is damaged, or its key was destroyed.

        A file that another machine has kept is copied from the object store.

        Raises:
            ServiceError: when the object store does not answer, or a file is another one.
        """
        path = self._place(digest)
        kept = self._read(path, digest)
        if kept is None and digest and self._shared is not None:
            return self._fetch(self._shared / path.parent.name / path.name, path, digest)
        return kept

    def _place(self, digest: bytes) -> Path:
        name = digest.hex()
        return self.folder / name[:2] / name[2:]

    def _read(self, path: Path, digest: bytes) -> Kept | None:
        """The file at a path, if there is a key to it, or it is whole and in clear."""
        try:
            with path.open("rb") as file:
                key_id = sealed_file.key_id(file.read(sealed_file.HEAD))
                if key_id is None:  # an earlier version's, or a damaged one
                    file.seek(0)
                    is_clear = file_digest(file, "sha256").digest() == digest
                    return Kept(digest, file.tell(), path, None) if is_clear else None
            if (key := self._keys.find(key_id, digest)) is None:
                return None
            with sealed_file.open_sealed(path, key) as stream:
                return Kept(digest, stream.seek(0, io.SEEK_END), path, key)
        except (FileNotFoundError, IsADirectoryError):
            return None

    def is_whole(self, path: Path, digest: bytes, *, is_sealed: bool = False) -> bool:
        """Whether the file at a path, here or in a backup, is the bytes that were delivered.

        Args:
            path: of the file.
            digest: the sha256 of its content.
            is_sealed: whether it must be encrypted.
        """
        try:
            kept = self._read(path, digest)
            if kept is None or (is_sealed and kept.key is None):
                return False
            with kept.open("rb") as stream:
                return file_digest(stream, "sha256").digest() == digest
        except ServiceError:
            return False

    def _fetch(self, source: UPath, path: Path, digest: bytes) -> Kept | None:
        draft = self.folder / f".draft-{secrets.token_hex(8)}"
        try:
            with self._reaching():
                if not source.exists():
                    return None
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
                source.fs.get_file(source.path, str(draft))
            with draft.open("rb") as file:
                key_id = sealed_file.key_id(file.read(sealed_file.HEAD))
            if key_id is not None and self._keys.find(key_id, digest) is None:
                return None
            if not self.is_whole(draft, digest):
                raise sealed_file.damaged(str(source))
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        return self._read(path, digest)

    def keep(self, stream: Readable) -> Kept:
        """Store a stream, of which a megabyte at a time is in memory; a known file stays as it is.

        Call `flush` before a row that refers to the file is committed.

        Raises:
            TooLargeError: when it has more than `MAX_BYTES`: nothing of it is kept.
            ServiceError: when the store cannot be written.
        """
        digest = sha256()
        size = 0
        key_id, key = os.urandom(sealed_file.ID_BYTES), os.urandom(sealed_file.KEY_BYTES)
        draft = self.folder / f".draft-{secrets.token_hex(8)}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                writer = sealed_file.Writer(file, key_id, key)
                while piece := stream.read(_PIECE):
                    digest.update(piece)
                    size += len(piece)
                    if size > MAX_BYTES:
                        raise TooLargeError(
                            f"it has more than {MAX_BYTES} bytes",
                            where="what the source gives",
                            remediation="have it sent in parts",
                        )
                    writer.write(piece)
                writer.close()
            path = self._place(digest.digest())
            path.parent.mkdir(exist_ok=True, mode=0o700)
            kept = self._sealed_at(path, digest.digest(), size)
            is_new = kept is None
            if kept is None:
                self._keys.add(key_id, digest.digest(), key)
                kept = self._named(draft, Kept(digest.digest(), size, path, key))
            if is_new or self._shared is not None:  # a flush that failed has not uploaded it
                self._unflushed.append(kept)
        except OSError as error:
            raise self._failed(error) from error
        finally:
            draft.unlink(missing_ok=True)
        return kept

    def _named(self, draft: Path, kept: Kept) -> Kept:
        """Give a file its name, unless another pull has just kept the same bytes."""
        try:
            os.link(draft, kept.path)
        except FileExistsError:
            if there := self._sealed_at(kept.path, kept.sha256, kept.size):
                return there
            draft.replace(kept.path)
        return kept

    def _sealed_at(self, path: Path, digest: bytes, size: int) -> Kept | None:
        """The encrypted file at a path, if it is whole: a power cut may have left a shorter one."""
        if not path.exists() or path.stat().st_size != sealed_file.sealed_size(size):
            return None
        return self._read(path, digest) if self.is_whole(path, digest, is_sealed=True) else None

    def flush(self) -> None:
        """Make the files that were kept so far survive a power cut; callable from any thread.

        They are then in the object store too, where there is one.

        Raises:
            ServiceError: when the disk or the object store refuses it.
        """
        while self._unflushed:
            kept = self._unflushed.pop()
            path = kept.path
            try:
                descriptor = os.open(path, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
            except OSError as error:
                raise self._failed(error) from error
            if self._shared is not None:
                target = self._shared / path.parent.name / path.name
                with self._reaching():
                    if not self._opens(target, kept.sha256):
                        target.fs.put_file(str(path), target.path)

    def _opens(self, target: UPath, digest: bytes) -> bool:
        """Whether the object store has a file, encrypted with a key that is there."""
        try:
            head = target.fs.cat_file(target.path, start=0, end=sealed_file.HEAD)
        except FileNotFoundError:
            return False
        key_id = sealed_file.key_id(head)
        return key_id is not None and self._keys.find(key_id, digest) is not None

    def encrypt(self) -> int:
        """Encrypt the files that an earlier version kept in clear; return how many they were.

        A call that is killed can be repeated. A file whose bytes are not its name's stays.
        """
        names = {file.parent.name + file.name for file in self.folder.glob("??/*")}
        if self._shared is not None:
            with self._reaching():
                listed = self._shared.fs.find(self._shared.path)
            names |= {"".join(path.split("/")[-2:]) for path in listed}
        count = 0
        for name in sorted(filter(_NAME.fullmatch, names)):
            digest = bytes.fromhex(name)
            place = self._place(digest)
            if _is_sealed(place) or not place.exists():
                if self._shared is None:
                    continue
                with self._reaching():
                    if self._opens(self._shared / place.parent.name / place.name, digest):
                        continue
            kept = self.find(digest)
            if kept is None:
                continue
            if kept.key is None:
                with kept.open("rb") as stream:
                    self.keep(stream)
            else:
                self._unflushed.append(kept)
            self.flush()
            count += 1
        return count

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Report an object store that does not answer or refuses."""
        from botocore.exceptions import BotoCoreError

        try:
            yield
        except (OSError, BotoCoreError) as error:
            raise ServiceError(
                f"the evidence cannot be shared: {error}",
                where=str(self._shared),
                remediation="correct LUMBUNG_EVIDENCE or the keys in AWS_..., then pull again",
            ) from error

    def _failed(self, error: OSError) -> ServiceError:
        return ServiceError(
            f"a delivery could not be kept as evidence: {error}",
            where=str(self.folder),
            remediation="free space on the disk or correct LUMBUNG_HOME",
        )

    def erase(self, digest: bytes) -> None:
        """Delete a file, also from the object store.

        Other machines' copies stay; destroy its keys first, so that they do not open.

        Raises:
            ServiceError: when the object store refuses it.
        """
        path = self._place(digest)
        path.unlink(missing_ok=True)
        if self._shared is not None:
            with self._reaching():
                (self._shared / path.parent.name / path.name).unlink(missing_ok=True)

    def remember(self, name: str, kept: Kept) -> None:
        """Remember a file under its name at the source, where it never changes (an attachment)."""
        label, text = self.folder / _label(name), f"{kept.sha256.hex()} {kept.size}"
        label.parent.mkdir(exist_ok=True, mode=0o700)
        write_private(label, text)
        if self._shared is not None:
            with self._reaching():
                (self._shared / _label(name).as_posix()).write_text(text)

    def recall(self, name: str) -> Kept | None:
        """The file that was remembered under a name, if it is still in the store."""
        for store in self._stores:
            try:
                digest, _ = (store / _label(name)).read_text().split()
            except (OSError, ValueError):
                continue
            path = store / digest[:2] / digest[2:]
            if kept := self._read(path, bytes.fromhex(digest)):
                return kept
        if self._shared is None:
            return None
        with self._reaching():
            try:
                digest, _ = (self._shared / _label(name).as_posix()).read_text().split()
            except FileNotFoundError:
                return None
        return self.find(bytes.fromhex(digest))


def _open(shared: str) -> UPath:
    """Open an object store by its address, with the keys of the environment (`AWS_...`)."""
    if not shared.startswith("s3://"):
        raise ConfigurationError(
            f"{shared!r} is not the address of an object store",
            where="LUMBUNG_EVIDENCE",
            remediation="write it as s3://bucket/prefix, or leave it out",
        )
    from upath import UPath

    timeouts = {"connect_timeout": _TIMEOUT_SECONDS, "read_timeout": _TIMEOUT_SECONDS}
    return UPath(shared, skip_instance_cache=True, use_listings_cache=False, config_kwargs=timeouts)


def _is_sealed(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return sealed_file.key_id(file.read(sealed_file.HEAD)) is not None
    except FileNotFoundError:
        return False


def _label(name: str) -> Path:
    return Path("names") / sha256(name.encode(errors="surrogatepass")).hexdigest()
