"""`auth` in `ingot.yml`: which settings are safe, and that no secret is ever shown."""

import pytest

from .conftest import Folder

SECRET = "a-secret-of-more-than-32-characters-x"


ENVIRON = {"API_SECRET": SECRET, "SHORT": "tiny"}


def test_a_secret_comes_from_the_environment_and_is_never_shown(folder: Folder) -> None:
    folder.write("ingot.yml", "auth: {jwt: {secret: '${API_SECRET}'}}")
    project = folder.load(environ=ENVIRON)
    assert project.auth is not None
    assert project.auth.jwt is not None
    assert project.auth.jwt.secret == SECRET
    assert project.auth.jwt.accepted == ("HS256",)
    assert project.auth.groups_claim == "groups"
    assert project.auth.lake_groups == ()
    assert SECRET not in repr(project)
    assert SECRET not in str(project.dump())
    assert "${API_SECRET}" in str(project.dump())


@pytest.mark.parametrize(
    ("jwt", "said"),
    [
        ("secret: in-the-file-in-plain-sight", "does not stand in a file"),
        ("secret: '${SHORT}'", "shorter than 32"),
        ("secret: '${API_SECRET}', algorithms: [HS256, HS512]", "shorter than 64"),
        ("secret: '${API_SECRET}', public_key: x", "not 'secret' and 'public_key'"),
        ("issuer: me", "not none of them"),
        ("secret: '${API_SECRET}', algorithms: RS256", "RS256 does not go with 'secret'"),
        ("public_key: x, algorithms: [ES256, HS256]", "HS256 does not go with 'public_key'"),
        ("jwks_url: 'http://login.example.com/keys'", "over https"),
        ("jwks_url: 'ftp://x'", "over https"),
        ("jwks_url: 'http://[x'", "over https"),
    ],
)
def test_settings_that_would_let_strangers_in_are_refused(folder: Folder, jwt: str, said: str) -> None:
    folder.write("ingot.yml", f"auth: {{jwt: {{{jwt}}}}}")
    text = "\n".join(folder.problems(environ=ENVIRON))
    assert said in text
    assert SECRET not in text
    assert "plain-sight" not in text


def test_no_algorithm_is_no_algorithm(folder: Folder) -> None:
    folder.write("ingot.yml", "auth: {jwt: {public_key: x, algorithms: [none]}}")
    assert "algorithms" in "\n".join(folder.problems())
