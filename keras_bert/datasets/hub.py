"""Model folders of Hugging Face's hub, `hf://org/name[@revision]`, by its library huggingface_hub.

Cache, token (`HF_TOKEN`), mirror (`HF_ENDPOINT`) and offline mode (`HF_HUB_OFFLINE`) are the
library's own: https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..checkpoints.paths import MODULES, read_modules
from .hub_files import CONFIG, files_to_fetch, missing_file, shards_of

PREFIX = "hf://"
_NAME = re.compile(r"([\w.-]+(?:/[\w.-]+)?)(?:@([\w./-]+))?", re.ASCII)


def hub_folder(address: str, progress: bool = True) -> str:
    """Fetch a model from the hub, unless its files are there, and return its folder.

    Only files that this package reads are fetched. If the hub cannot be reached, or refuses, what
    was fetched before is used, provided that it is complete.

    Args:
        address: `hf://org/name` for the newest version, `hf://org/name@revision` for that of a
            branch, a tag or a commit.
        progress: Whether to show progress bars on a terminal.

    Raises:
        ImportError: If the package huggingface_hub is missing.
        OSError: If the hub cannot be reached, refuses, or has no such model.
        ValueError: If `address` has another form.
    """
    match = _NAME.fullmatch(address.removeprefix(PREFIX).rstrip("/"))
    if not match or ".." in address:
        raise ValueError(
            "A model of the hub is named hf://org/name or hf://org/name@revision. "
            f"Received: {address!r}."
        )
    try:
        import huggingface_hub.constants
        import huggingface_hub.utils
    except ImportError:
        raise ImportError(
            f"{address} is fetched by the package huggingface_hub: pip install huggingface_hub"
        ) from None
    repository = _Repository(huggingface_hub, address, *match.groups())
    with _progress(huggingface_hub, progress):
        return repository.fetch()


class _Repository:
    """A repository at a revision, None for the newest."""

    def __init__(self, hub: Any, address: str, name: str, revision: str | None):
        self.hub, self.address, self.name, self.revision = hub, address, name, revision

    def fetch(self) -> str:
        """Fetch what is missing of a model, and return its folder."""
        try:
            commit, names = self._listing()
        except OSError as error:
            cached = self._cached()
            lacking = missing_file(cached) if cached else None
            if cached and not lacking:
                return cached
            if lacking:
                message = f"{error} What is in the cache is incomplete: {lacking}."
                raise OSError(message) from error.__cause__
            raise
        modules = read_modules(self._file(MODULES, commit)) if MODULES in names else []
        try:
            wanted = files_to_fetch(names, modules)
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{self.address} cannot be read: {error}.") from None
        paths = [self._file(name, commit) for name in wanted]
        weights = wanted[-1]
        if weights.endswith(".index.json"):
            for shard in shards_of(paths[-1]):
                self._file(f"{weights[: weights.rfind('/') + 1]}{shard}", commit)
        folder = str(Path(paths[-1]).parents[weights.count("/")])
        if self._cached() != folder:
            # Only now that it is complete shall it be what the cache has of this revision.
            self._file(MODULES if modules else CONFIG, self.revision)
        return folder

    def _listing(self) -> tuple[str, list[str]]:
        """The commit, and the names of all its files."""
        timeout = self.hub.constants.HF_HUB_ETAG_TIMEOUT  # otherwise it waits for ever
        with self._explained():
            api = self.hub.HfApi()
            info = api.model_info(self.name, revision=self.revision, timeout=timeout)
            return info.sha, [each.rfilename for each in info.siblings]

    def _file(self, name: str, revision: str | None) -> str:
        """Path of a file, which is fetched unless the cache has it."""
        with self._explained():
            return self.hub.hf_hub_download(self.name, name, revision=revision)

    def _cached(self) -> str | None:
        """The folder that the cache has of the revision, complete or not."""
        for name in (CONFIG, MODULES):
            path = self.hub.try_to_load_from_cache(self.name, name, revision=self.revision)
            if isinstance(path, str):
                return os.path.dirname(path)
        return None

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say of every error of the library what can be done about it."""
        try:
            yield
        # Its versions are built on requests, httpx or httpx2, whose errors have no base in common.
        except Exception as error:
            chain = _chain(error)
            # Of a server, a network or a disk the message says all; the rest may be a mistake in
            # the code of a library, which its frames tell.
            says_all = any(isinstance(each, OSError) for each in chain)
            raise OSError(
                f"{self.address} could not be fetched from {self.hub.constants.ENDPOINT}: "
                f"{self._reason(chain)}. Or place its files in a folder, and pass that folder."
            ) from (None if says_all else error)

    def _reason(self, chain: list[BaseException]) -> str:
        kinds = self.hub.utils
        statuses = [getattr(getattr(each, "response", None), "status_code", None) for each in chain]
        status = next(filter(None, statuses), None)

        def is_a(*kind: type) -> bool:
            return any(isinstance(each, kind) for each in chain)

        if is_a(kinds.OfflineModeIsEnabled):
            return "HF_HUB_OFFLINE is set, and the cache does not have it. Unset that variable"
        if is_a(kinds.RevisionNotFoundError):
            return f"{self.name} has no revision {self.revision!r}. Look for its name on the hub"
        if is_a(kinds.GatedRepoError):
            return (
                f"access to {self.name} is restricted (status {status}). Ask for it on its page, "
                "and set HF_TOKEN to your token"
            )
        if is_a(kinds.RepositoryNotFoundError):
            return (
                f"there is no repository {self.name}, or it is private (status {status}). Check "
                "the name, or set HF_TOKEN to your token"
            )
        if status in (401, 403):
            return f"access was denied (status {status}). Set HF_TOKEN to a token that permits it"
        if status == 429:
            return "there were too many requests (status 429). Wait, or set HF_TOKEN to your token"
        if status is not None:
            return f"the server answered {status}. Try again later, or name a mirror by HF_ENDPOINT"
        reason = next(filter(None, str(chain[-1]).splitlines()), type(chain[-1]).__name__)
        return f"{reason.rstrip('.')}. Check the network, or name a mirror by HF_ENDPOINT"


def _chain(error: BaseException) -> list[BaseException]:
    """An error, what caused it, and so on."""
    chain = [error]
    while cause := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(cause)
    return chain


@contextmanager
def _progress(hub: Any, wanted: bool) -> Iterator[None]:
    """Turn off the library's progress bars, which otherwise show on terminals."""
    if wanted or hub.utils.are_progress_bars_disabled():
        yield
        return
    hub.utils.disable_progress_bars()
    try:
        yield
    finally:
        hub.utils.enable_progress_bars()
