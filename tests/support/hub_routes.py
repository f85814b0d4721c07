"""The routes of the tests' Hub that `huggingface_hub` and `datasets` use."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from tests.support.hub_state import LARGE, TOKEN, Commit, Hub, Repo, blob_id, commit_id, refusal


def make_app(hub: Hub) -> FastAPI:
    app = FastAPI()
    _add_guard(app, hub)
    _add_repos(app, hub)
    _add_about(app, hub)
    _add_listings(app, hub)
    _add_files(app, hub)
    _add_writing(app, hub)
    return app


def _add_guard(app: FastAPI, hub: Hub) -> None:
    @app.middleware("http")
    async def guard(request: Request, call_next):
        call = f"{request.method} {request.url.path}"
        hub.requests.append(call)
        authorization = request.headers.get("authorization")
        if authorization not in (None, f"Bearer {TOKEN}"):
            return refusal(401, "", "Invalid credentials in Authorization header")
        name = next((repo for repo in hub.repos if f"datasets/{repo}" in call), None)
        if name and hub.repos[name].private and authorization is None:
            return refusal(401, "RepoNotFound", "Repository not found")
        if authorization is None and (request.method in ("POST", "PUT") and _writes(call)):
            return refusal(401, "", "You must be logged in")
        fault = hub.fault_for(call)
        if fault:
            await asyncio.sleep(fault.seconds)
            if fault.done or not fault.status:
                answer = await call_next(request)
            return fault.answer() if fault.status else answer
        return await call_next(request)


def _writes(call: str) -> bool:
    return any(word in call for word in ("/repos/", "/preupload/", "/commit/", "info/lfs", "/super-squash/"))


def _add_repos(app: FastAPI, hub: Hub) -> None:
    @app.post("/api/repos/create")
    async def create(request: Request):
        fields = await request.json()
        name = f"{fields.get('organization') or 'me'}/{fields['name']}"
        if name in hub.repos:
            return JSONResponse({"error": "exists", "url": f"/datasets/{name}"}, 409)
        private = bool(fields.get("private")) or fields.get("visibility") == "private"
        hub.repos[name] = Repo(private=private)
        return {"url": f"{str(request.base_url).rstrip('/')}/datasets/{name}", "name": name, "id": name}

    @app.get("/api/whoami-v2")
    async def whoami():
        return {"type": "user", "name": "me", "orgs": []}

    @app.post("/api/validate-yaml")
    async def validate():
        return {"errors": [], "warnings": []}

    @app.post("/api/datasets/{owner}/{name}/super-squash/{revision}")
    async def squash(owner: str, name: str, revision: str):
        repo = hub.repos[f"{owner}/{name}"]
        repo.commits = [
            Commit(commit_id("squashed" + repo.commits[-1].sha), "squashed", repo.commits[-1].files)
        ]
        return {}


def _found(hub: Hub, owner: str, name: str, revision: str = "main") -> Commit | Response:
    repo = hub.repos.get(f"{owner}/{name}")
    if repo is None:
        return refusal(404, "RepoNotFound", "Repository not found")
    return repo.at(revision) or refusal(404, "RevisionNotFound", "Invalid rev id")


def _add_about(app: FastAPI, hub: Hub) -> None:
    @app.get("/api/datasets/{owner}/{name}")
    @app.get("/api/datasets/{owner}/{name}/revision/{revision:path}")
    async def info(owner: str, name: str, revision: str = "main"):
        commit = _found(hub, owner, name, revision)
        if isinstance(commit, Response):
            return commit
        return {
            "id": f"{owner}/{name}",
            "sha": commit.sha,
            "private": hub.repos[f"{owner}/{name}"].private,
            "siblings": [{"rfilename": path} for path in sorted(commit.files)],
            "tags": [],
            "downloads": 0,
            "likes": 0,
            "lastModified": "2026-01-01T00:00:00.000Z",
        }

    @app.get("/api/datasets/{owner}/{name}/refs")
    async def refs(owner: str, name: str):
        commit = _found(hub, owner, name)
        if isinstance(commit, Response):
            return commit
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": commit.sha}
        return {"branches": [main], "converts": [], "tags": []}


def _add_listings(app: FastAPI, hub: Hub) -> None:
    @app.get("/api/datasets/{owner}/{name}/tree/{revision}")
    @app.get("/api/datasets/{owner}/{name}/tree/{revision}/{path:path}")
    async def tree(owner: str, name: str, revision: str, path: str = "", recursive: bool = False):
        commit = _found(hub, owner, name, revision)
        if isinstance(commit, Response):
            return commit
        entries = _entries(commit.files, path, recursive=recursive)
        if path and not entries:
            return refusal(404, "EntryNotFound", f"{path} does not exist on {revision}")
        return entries

    @app.post("/api/datasets/{owner}/{name}/paths-info/{revision}")
    async def paths_info(request: Request, owner: str, name: str, revision: str):
        commit = _found(hub, owner, name, revision)
        if isinstance(commit, Response):
            return commit
        if "json" in request.headers.get("content-type", ""):
            paths = (await request.json())["paths"]
        else:
            paths = (await request.form()).getlist("paths")
        all_entries = _entries(commit.files, "", recursive=True)
        return [entry for entry in all_entries if entry["path"] in paths]


def _add_files(app: FastAPI, hub: Hub) -> None:
    @app.api_route("/datasets/{owner}/{name}/resolve/{revision}/{path:path}", methods=["GET", "HEAD"])
    async def resolve(request: Request, owner: str, name: str, revision: str, path: str):
        commit = _found(hub, owner, name, revision)
        if isinstance(commit, Response):
            return commit
        if path not in commit.files:
            headers = {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit.sha}
            return Response(status_code=404, headers=headers)
        return _content(request, commit, path)


def _content(request: Request, commit: Commit, path: str) -> Response:
    content, oid = commit.files[path], _oid(path, commit.files[path])
    headers = {"X-Repo-Commit": commit.sha, "ETag": f'"{oid}"', "Accept-Ranges": "bytes"}
    headers |= {"X-Linked-Etag": f'"{oid}"', "X-Linked-Size": str(len(content))}
    kind = "application/octet-stream"
    if request.method == "HEAD":
        return Response(headers=headers | {"Content-Length": str(len(content))}, media_type=kind)
    wanted = request.headers.get("range", "")
    if not wanted.startswith("bytes="):
        return Response(content, headers=headers, media_type=kind)
    first, _, last = wanted.removeprefix("bytes=").partition("-")
    start, end = int(first), min(int(last or len(content)), len(content) - 1)
    headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
    return Response(content[start : end + 1], 206, headers, kind)


def _add_writing(app: FastAPI, hub: Hub) -> None:
    @app.post("/api/datasets/{owner}/{name}/preupload/{revision}")
    async def preupload(request: Request, owner: str, name: str, revision: str):
        repo = hub.repos.get(f"{owner}/{name}")
        if repo is None:
            return refusal(404, "RepoNotFound", "Repository not found")
        files, modes = repo.commits[-1].files, []
        for asked in (await request.json())["files"]:
            path = asked["path"]
            mode = {"path": path, "uploadMode": "lfs" if path.endswith(LARGE) else "regular"}
            modes.append(
                mode | {"shouldIgnore": False, "oid": _oid(path, files[path]) if path in files else None}
            )
        return {"files": modes}

    @app.post("/datasets/{owner}/{name}.git/info/lfs/objects/batch")
    async def batch(request: Request, owner: str, name: str):
        objects = (await request.json())["objects"]
        href = f"{str(request.base_url).rstrip('/')}/lfs"
        actions = [{"upload": {"href": f"{href}/{asked['oid']}"}} for asked in objects]
        answers = [
            asked if asked["oid"] in hub.blobs else {**asked, "actions": action}
            for asked, action in zip(objects, actions, strict=True)
        ]
        return {"transfer": "basic", "objects": answers}

    @app.put("/lfs/{oid}")
    async def upload(request: Request, oid: str):
        content = await request.body()
        time.sleep(hub.seconds_per_upload)
        if hashlib.sha256(content).hexdigest() != oid:
            return refusal(400, "", "the content has another hash")
        hub.blobs[oid] = content
        return Response()

    @app.post("/api/datasets/{owner}/{name}/commit/{revision}")
    async def commit(request: Request, owner: str, name: str, revision: str):
        repo = hub.repos[f"{owner}/{name}"]
        files, title = dict(repo.commits[-1].files), ""
        for line in (await request.body()).splitlines():
            entry = json.loads(line)
            key, value = entry["key"], entry["value"]
            if key == "header":
                title = value["summary"]
            elif key == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif key == "lfsFile":
                files[value["path"]] = hub.blobs[value["oid"]]
            elif key == "deletedFile":
                del files[value["path"]]
        made = repo.commit(title, files)
        url = f"{str(request.base_url).rstrip('/')}/datasets/{owner}/{name}/commit/{made.sha}"
        return {"success": True, "commitOid": made.sha, "commitUrl": url}


def _entries(files: dict[str, bytes], folder: str, *, recursive: bool) -> list[dict[str, object]]:
    """Return the files and folders below `folder` in the format of the Hub's tree."""
    prefix = f"{folder.rstrip('/')}/" if folder else ""
    entries: dict[str, dict[str, object]] = {}
    for path in sorted(files):
        if not path.startswith(prefix):
            continue
        parts = path.removeprefix(prefix).split("/")
        for depth in range(1, len(parts) if recursive else min(len(parts), 2)):
            below = prefix + "/".join(parts[:depth])
            entries[below] = {"type": "directory", "path": below, "oid": commit_id(below), "size": 0}
        if recursive or len(parts) == 1:
            entries[path] = _file_entry(path, files[path])
    return list(entries.values())


def _file_entry(path: str, content: bytes) -> dict[str, object]:
    entry = {"type": "file", "path": path, "oid": blob_id(content), "size": len(content)}
    if path.endswith(LARGE):
        entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
    return entry


def _oid(path: str, content: bytes) -> str:
    return hashlib.sha256(content).hexdigest() if path.endswith(LARGE) else blob_id(content)
