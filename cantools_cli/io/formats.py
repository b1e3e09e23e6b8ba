"""Chooses a reader or writer for a file: by the name of a format, by suffix, or by the first bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from cantools_cli import plugins
from cantools_cli.errors import FormatError, UsageError, quoted
from cantools_cli.io.files import AnyFile, InputStream, OutputStream, as_input

if TYPE_CHECKING:
    from cantools_cli.io.base import MessageReader, MessageWriter

HEAD = 4096  #: bytes to recognise a format by


def parse_format(text: str, *, writing: bool) -> tuple[str, dict[str, Any]]:
    """Return the format's name and the keywords of its class from ``NAME[,OPTION=VALUE...]``.

    Raises:
        UsageError: no such format, or it has no such option.
    """
    name, *parts = text.split(",")
    name = name.strip().lower()
    if name.startswith(".") and name in plugins.entry_points_of("writer" if writing else "reader"):
        form = None  # with a dot, the class of another distribution for the suffix
    else:
        name = name.lstrip(".")
        suffixed = (form for form in plugins.FORMATS.values() if f".{name}" in form.suffixes)
        form = plugins.FORMATS.get(name) or next(suffixed, None)
    if form is None:
        load = plugins.writer_class if writing else plugins.reader_class
        load(name)  # of another distribution, or raises
        return name, {key: _cast(value) for key, _, value in (part.partition("=") for part in parts)}
    known = form.writer_options if writing else form.reader_options
    options: dict[str, Any] = {}
    for part in parts:
        key, mark, value = part.partition("=")
        if key not in known:
            offer = ", ".join(sorted(known)) or "none"
            raise UsageError(f"format {name} has no option {quoted(key)}", hint=f"its options: {offer}")
        kind = plugins.writer_class(form.name) if writing else plugins.reader_class(form.name)
        options[known[key]] = _typed(f"{name},{key}", value if mark else None, _default(kind, known[key]))
        if key == "tz" and mark:
            from cantools_cli.clock import zone

            zone(value)
    return form.name, options


def check_writer(form: str, options: dict[str, Any]) -> None:
    """Check the ``options`` of a writer of ``form``, before a file is created or emptied.

    A writer that needs a file name is not checked.

    Raises:
        UsageError: a value is invalid.
        OSError: a file named by an option cannot be read.
    """
    row = plugins.FORMATS.get(form)
    if options and row is not None and not row.is_shared:
        import io

        open_writer(OutputStream(io.BytesIO()), form, options, on_note=lambda _: None).close()


def _default(kind: type, keyword: str) -> object:
    """Return the default of a parameter of ``kind``, None if it has no such parameter."""
    from inspect import signature

    parameter = signature(kind).parameters.get(keyword)
    return None if parameter is None else parameter.default


def _typed(option: str, text: str | None, default: object) -> int | bool | str:
    """Return the value of a format's ``option``, of the type of its ``default``; None means no ``=VALUE``."""
    value = True if text is None else _cast(text)
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise UsageError(f"{option} {quoted(str(text))} is neither true nor false")
        return value
    if isinstance(default, int):
        if isinstance(value, bool) or not isinstance(value, int):
            raise UsageError(f"{option} {quoted(text or '')} is not a whole number")
        return value
    return text if text is not None and isinstance(default, str) else value


def open_reader(
    file: AnyFile,
    form: str | None = None,
    options: dict[str, Any] | None = None,
    *,
    as_command: bool = False,
    **common: Any,
) -> MessageReader:
    """Return a reader of ``file``, of the format ``form``, which is recognised by default.

    ``as_command`` uses the defaults of the commands instead of the documented ones of the classes.

    Raises:
        FormatError: the format is not recognised.
        OSError: the file cannot be opened.
    """
    stream = as_input(file)
    try:
        name = form or recognised(stream)
        reader = plugins.reader_class(name)
        if as_command and name in plugins.FORMATS:
            common = {"named_channels": True, **plugins.FORMATS[name].reading, **common}
        options = options or {}
        if name not in plugins.FORMATS:
            from cantools_cli.io.foreign import ForeignReader, gives_batches

            if not gives_batches(reader):
                return ForeignReader(reader(stream.name, **options), stream, **common)
        return cast("MessageReader", reader(stream, **{**common, **options}))
    except BaseException:
        stream.close()
        raise


def open_writer(
    file: AnyFile, form: str, options: dict[str, Any] | None = None, **common: Any
) -> MessageWriter:
    """Return a writer to ``file`` of the format ``form``."""
    writer = plugins.writer_class(form)
    options = options or {}
    if form not in plugins.FORMATS:
        from cantools_cli.io.foreign import ForeignWriter, takes_batches

        if not takes_batches(writer):
            if not isinstance(file, OutputStream):
                return ForeignWriter(writer(file, **options))
            return ForeignWriter(writer(file.name, **options), file)
    return cast("MessageWriter", writer(file, **{**common, **options}))


def format_for_output(path: str) -> str:
    """Return the name of the format for the suffix of ``path``.

    Raises:
        UsageError: no format has the suffix, or the format cannot be compressed.
    """
    name, is_compressed = plugins.format_of_suffix(path)
    if name is None:
        suffix = "." + path.rsplit(".", 1)[-1] if "." in path.rsplit("/", 1)[-1] else ""
        if suffix and suffix in plugins.entry_points_of("writer"):
            return suffix
        known = " ".join(form.suffixes[0] for form in plugins.writable().values())
        raise UsageError(
            f"{path}: no format has the suffix {quoted(suffix)}", hint=f"--to names it; suffixes: {known}"
        )
    if is_compressed and not plugins.FORMATS[name].is_compressible:
        suffix = plugins.peeled(path)[1]
        how = "gzipped" if suffix == ".gz" else "compressed"
        raise UsageError(
            f"{path}: {name} compresses its own data and cannot be {how} as well", hint=f"leave out {suffix}"
        )
    return name


def recognised(stream: InputStream) -> str:
    """Return the name of the format of ``stream``, without consuming data.

    The format of the suffix is kept if the first bytes agree with it; else the first bytes decide.
    """
    head = stream.peek(HEAD)
    by_suffix, _ = plugins.format_of_suffix(stream.name)
    if by_suffix and (not head or plugins.reader_class(by_suffix).recognises(head)):
        return by_suffix
    if not head:
        return "log"  # an empty file is an empty log
    for name in plugins.FORMATS:
        if name != by_suffix and plugins.reader_class(name).recognises(head):
            return name
    if by_suffix:
        return by_suffix  # its reader reports the place of the error
    others = plugins.entry_points_of("reader")
    for suffix in others:
        if stream.name.lower().endswith(suffix):
            return suffix
    raise FormatError(
        f"not a log that canx recognises: it begins with {quoted(head[:16])}",
        source=stream.name,
        hint="--from names the format: " + ", ".join(plugins.FORMATS),
    )


def _cast(value: str) -> int | bool | str:
    if value.lower() in ("true", "yes", "on"):
        return True
    if value.lower() in ("false", "no", "off"):
        return False
    try:
        return int(value)
    except ValueError:
        return value
