"""The line of versions names every installed package, and works without any of them."""

from importlib import metadata

import pytest

from seq2seq import __version__, versions


def test_every_installed_package_is_named_with_its_version() -> None:
    line = versions.versions()
    assert line.startswith(f"seq2seq {__version__}, ")
    for name in versions.PACKAGES:
        assert f", {name} {metadata.version(name)}, " in line
    assert "\n" not in line


@pytest.mark.parametrize("missing", [*([name] for name in versions.PACKAGES), versions.PACKAGES], ids=str)
def test_a_package_that_is_not_installed_is_left_out(missing: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name in missing:
            raise metadata.PackageNotFoundError(name)
        return "1.2"

    monkeypatch.setattr(versions.metadata, "version", version)
    parts = versions.versions().split(", ")
    assert parts[2:-1] == [f"{name} 1.2" for name in versions.PACKAGES if name not in missing]
