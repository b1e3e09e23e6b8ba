"""A file and a format's name to a reader or a writer: by name, by suffix, by the first bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from cantools_cli import plugins
from cantools_cli.errors import FormatError, UsageError, quoted
from cantools_cli.io.files import AnyFile, InputStream, OutputStream, is_path
from cantools_cli.io.text_streams import stays_open

if TYPE_CHECKING:
    from cantools_cli.io.base import MessageReader, MessageWriter

#: bytes looked at to recognise a format
HEAD = 4096


def parse_format(text: str, *, writing: bool) -> tuple[str, dict[str, Any]]:
    """Return the format's name and the keywords of its class from ``NAME[,OPTION=VALUE...]``.

    Raises:
        UsageError: no such format, or it has no such option.
    """
    name, *parts = text.split(",")
    name = name.strip().lower()
    if name.startswith(".") and name in plugins.entry_points_of("writer" if writing else "reader"):
        form = None  # the dot asks for what another distribution has for the suffix
    else:
        name = name.lstrip(".")
        form = plugins.FORMATS.get(name) or _by_suffix(name)
    if form is None:
        plugins.writer_class(name) if writing else plugins.reader_class(
            name
        )  # of another distribution, or raises
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
    """Raise what a writer of ``form`` raises for its ``options``, before a file is created or emptied.

    A writer that needs the name of a file is not tried.

    Raises:
        UsageError: a value makes no sense.
        OSError: a file that an option names cannot be read.
    """
    found = plugins.FORMATS.get(form)
    if options and found is not None and not found.is_shared:
        import io

        open_writer(OutputStream(io.BytesIO()), form, options, on_note=lambda _: None).close()


def _default(kind: type, keyword: str) -> object:
    """Return the default of a parameter of ``kind``, None if it has no such parameter."""
    function: Any = kind.__init__  # type: ignore[misc]  # its defaults are asked for, it is not called
    named = dict(function.__kwdefaults__ or {})
    if keyword in named:
        return named[keyword]
    code, defaults = function.__code__, function.__defaults__ or ()
    positional = code.co_varnames[: code.co_argcount]
    return dict(zip(reversed(positional), reversed(defaults), strict=False)).get(keyword)


def _typed(option: str, text: str | None, default: object) -> int | bool | str:
    """Return the value of a format's ``option``, of the type of its ``default``; ``text`` is None for ``=``.

    Raises:
        UsageError: it is of another type.
    """
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
    """Return a reader of ``file``, of the format ``form`` or of the one that it is recognised as.

    The suffix is asked first and its format kept if the first bytes agree; else the first bytes decide.
    ``as_command`` uses the defaults of the commands, not the documented ones of the classes.

    Raises:
        FormatError: none of the formats is recognised.
        OSError: the file cannot be opened.
    """
    stream = file
    if not isinstance(file, InputStream):
        stream = InputStream(file, owned=is_path(file) or not stays_open(file))
    try:
        name = form or recognised(stream)
        reader = plugins.reader_class(name)
        if as_command and name in plugins.FORMATS:
            common = {"named_channels": True, **plugins.FORMATS[name].reading, **common}
        if name in plugins.FORMATS:
            return cast("MessageReader", reader(stream, **{**common, **(options or {})}))
        from cantools_cli.io.foreign import ForeignReader, gives_batches

        if gives_batches(reader):
            return cast("MessageReader", reader(stream, **{**common, **(options or {})}))
        return ForeignReader(reader(stream.name, **(options or {})), stream, **common)
    except BaseException:
        stream.close()
        raise


def open_writer(
    file: AnyFile, form: str, options: dict[str, Any] | None = None, **common: Any
) -> MessageWriter:
    """Return a writer to ``file`` of the format ``form``."""
    writer = plugins.writer_class(form)
    if form in plugins.FORMATS:
        return cast("MessageWriter", writer(file, **{**common, **(options or {})}))
    from cantools_cli.io.foreign import ForeignWriter, takes_batches

    if takes_batches(writer):
        return cast("MessageWriter", writer(file, **{**common, **(options or {})}))
    if not isinstance(file, OutputStream):
        return ForeignWriter(writer(file, **(options or {})))
    return ForeignWriter(writer(file.name, **(options or {})), file)


def format_for_output(path: str) -> str:
    """Return the format that the suffix of ``path`` means.

    Raises:
        UsageError: it means none, or one that cannot be compressed again.
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
            f"{path}: {name} is compressed inside and cannot be {how} as well", hint=f"leave out {suffix}"
        )
    return name


def recognised(stream: InputStream) -> str:
    """Return the name of the format of ``stream``, nothing of which is taken.

    Raises:
        FormatError: it is none that is known.
    """
    head = stream.peek(HEAD)
    by_suffix, _ = plugins.format_of_suffix(stream.name)
    if by_suffix and (not head or plugins.reader_class(by_suffix).recognises(head)):
        return by_suffix
    if not head:
        return "log"  # nothing at all is an empty log
    for name in plugins.FORMATS:
        if name != by_suffix and plugins.reader_class(name).recognises(head):
            return name
    if by_suffix:
        return by_suffix  # its reader says where the file goes wrong
    others = plugins.entry_points_of("reader")
    for suffix in others:
        if stream.name.lower().endswith(suffix):
            return suffix
    raise FormatError(
        f"not a log that canx recognises, it begins with {quoted(head[:16])}",
        source=stream.name,
        hint="--from names the format: " + ", ".join(plugins.FORMATS),
    )


def _by_suffix(name: str) -> plugins.Format | None:
    for form in plugins.FORMATS.values():
        if f".{name}" in form.suffixes:
            return form
    return None


def _cast(value: str) -> int | bool | str:
    if value.lower() in ("true", "yes", "on"):
        return True
    if value.lower() in ("false", "no", "off"):
        return False
    try:
        return int(value)
    except ValueError:
        return value
