"""An older release under the name of a newer one: the history notices, the last good image stays."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gpg_home import GpgHome
from offering import DAY, Offer, issue
from program import release_builder
from web_server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.interop

OLD, NEW, NEWEST = issue(1), issue(2), issue(3)
WARN = "trust: {older: warn}\n"


@pytest.fixture
def offer(workdir: Path) -> Offer:
    return Offer(workdir)


@pytest.fixture(scope="module")
def home() -> Iterator[GpgHome]:
    with GpgHome() as made:
        yield made


@pytest.fixture(scope="module")
def key(home: GpgHome) -> str:
    return home.make_key("Build <build@example.org>", "ed25519")


@pytest.fixture
def signed(offer: Offer, home: GpgHome, key: str) -> Offer:
    """Sums are signed, and must be."""
    home.export(key, offer.folder / "key.asc")
    offer.home, offer.key = home, key
    offer.more = "trust: {sums: key.asc}\n"
    return offer


def test_an_image_from_before_the_last_one_is_refused(offer: Offer) -> None:
    for release in (OLD, NEW):
        offer.offer(release, sums="")
        assert offer.run().status == 0
    offer.offer(OLD, sums="")

    built = offer.run()
    again = offer.run()

    assert built.status == again.status == 2
    assert (
        "an older smeserver-9.0beta3-x86_64.iso is offered: the one of run 1 " in built.messages()
    )
    assert "after which run 2 " in built.messages()
    hints = [
        each["hint"] for step in built.document["releases"][0]["steps"] for each in step["findings"]
    ]
    assert any("`trust: {older: warn}`" in hint for hint in hints)
    assert offer.holds(NEW)


def test_an_older_image_of_a_web_server_is_refused_too(offer: Offer) -> None:
    (offer.folder / "mirror").mkdir()
    with serve(offer.folder / "mirror") as server:
        offer.mirror = server.url
        for release in (OLD, NEW):
            offer.offer(release)
            assert offer.run().status == 0
        offer.offer(OLD)

        built = offer.run()

    assert built.status == 2
    assert "an older smeserver-9.0beta3-x86_64.iso is offered" in built.messages()
    assert offer.holds(NEW)


def test_a_new_issue_is_no_older_one(offer: Offer) -> None:
    for release in (OLD, NEW, NEWEST, NEWEST):
        offer.offer(release)

        built = offer.run()

        assert built.status == 0
        assert "is offered" not in built.messages()
        assert offer.holds(release)


def test_an_older_one_that_is_meant_is_taken_with_a_warning_and_from_then_on(offer: Offer) -> None:
    for release in (OLD, NEW):
        offer.offer(release)
        offer.run()
    offer.offer(OLD)

    warned = offer.run(more=WARN)
    after = offer.run()
    offer.offer(NEW)
    back = offer.run()

    assert warned.status == 0
    assert "an older smeserver-9.0beta3-x86_64.iso is offered" in warned.messages()
    assert (after.status, after.messages()) == (0, "")
    assert back.status == 0
    assert offer.holds(NEW)


def test_what_was_taken_back_may_come_again_but_not_the_one_before_it(offer: Offer) -> None:
    for release in (OLD, NEW):
        offer.offer(release)
        offer.run()
    for release, more in ((OLD, WARN), (NEW, "")):
        offer.offer(release)
        assert offer.run(more=more).status == 0
    offer.offer(OLD)

    assert offer.run().status == 2
    assert offer.holds(NEW)


def test_an_image_that_the_descriptor_pins_is_no_older_one(offer: Offer) -> None:
    for release in (OLD, NEW):
        offer.offer(release)
        offer.run()
    offer.offer(OLD)

    built = offer.run(more=f"digests: {{sha256: {hashlib.sha256(OLD.image).hexdigest()}}}\n")
    md5 = offer.run(more=f"digests: {{md5: {hashlib.md5(NEW.image).hexdigest()}}}\n")

    assert built.status == 0
    assert "is offered" not in built.messages()
    assert md5.status == 2
    assert offer.holds(OLD)


def test_verify_tells_that_the_image_is_right_and_the_mirror_steps_back(offer: Offer) -> None:
    for release in (OLD, NEW):
        offer.offer(release)
        offer.run()
    offer.offer(OLD)
    offer.run()

    verified = offer.run("verify")
    offer.image.write_bytes(OLD.image)
    wrong = offer.run("verify")

    assert verified.status == wrong.status == 2
    assert "an older smeserver-9.0beta3-x86_64.iso is offered" in verified.messages()
    assert "is right by the pair in pair/" in verified.messages()
    assert "found md5:" not in verified.messages()
    assert "pair/smeserver-9.0beta3-x86_64.template says md5:" in wrong.messages()


@pytest.mark.parametrize("way", ["copy", "link"])
def test_another_path_of_the_descriptor_has_the_same_memory(offer: Offer, way: str) -> None:
    for release in (OLD, NEW):
        offer.offer(release)
        offer.run()
    offer.offer(OLD)
    (offer.folder / "link").symlink_to(offer.folder)
    shutil.copy(offer.folder / "sme9.yaml", offer.folder / "copy.yaml")
    path = offer.folder / {"copy": "copy.yaml", "link": "link/sme9.yaml"}[way]

    built = release_builder("build", "--json", path, cwd=offer.folder)

    assert built.status == 2
    assert "an older smeserver-9.0beta3-x86_64.iso is offered" in built.messages()


def test_a_history_that_cannot_be_read_is_told_with_what_that_means(offer: Offer) -> None:
    offer.offer(OLD)
    offer.run()
    (file,) = Path(os.environ["RELEASE_BUILDER_STATE"]).glob("history.sqlite")
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()

    built = offer.run()

    assert built.status == 0
    assert "upgrade this one: an older release cannot be noticed" in built.messages()


def test_without_a_history_nothing_is_refused(offer: Offer) -> None:
    for release in (OLD, NEW):
        offer.offer(release)
        offer.run()
    offer.offer(OLD)
    for file in Path(os.environ["RELEASE_BUILDER_STATE"]).glob("history*"):
        file.unlink()

    built = offer.run()

    assert built.status == 0
    assert offer.holds(OLD)


def test_sums_that_were_signed_before_the_last_ones_are_refused(signed: Offer) -> None:
    signed.offer(NEW, signed=-1)
    assert signed.run().status == 0
    signed.offer(OLD, signed=-2)  # which no run has seen

    built = signed.run()

    assert built.status == 2
    assert "another smeserver-9.0beta3-x86_64.iso is offered, signed on " in built.messages()
    assert signed.holds(NEW)


def test_an_old_image_that_is_signed_anew_is_meant(signed: Offer) -> None:
    for release, days in ((OLD, -3), (NEW, -2), (OLD, -1)):
        signed.offer(release, signed=days)

        built = signed.run()

        assert built.status == 0, built.messages()
        assert signed.holds(release)


def test_older_sums_of_the_same_image_are_told(signed: Offer) -> None:
    signed.offer(NEW, signed=-1)
    signed.run()
    signed.offer(NEW, signed=-2)

    built = signed.run()

    assert built.status == 0
    assert "the image is the same" in built.messages()


def test_a_signature_of_the_future_is_told_and_does_not_refuse_the_next(signed: Offer) -> None:
    signed.offer(OLD, signed=300)
    ahead = signed.run()
    signed.offer(NEW, signed=-1)
    right = signed.run()
    signed.offer(OLD, signed=300)
    back = signed.run()

    assert ahead.status == 0
    assert "which is yet to come" in ahead.messages()
    assert right.status == 0, right.messages()
    assert back.status == 2
    assert signed.holds(NEW)


def test_a_clock_that_is_behind_is_told_and_refuses_nothing(offer: Offer, home: GpgHome) -> None:
    """To it, even the key is yet to be made."""
    offer.home, offer.key = (
        home,
        home.make_key("Later <later@example.org>", "ed25519", at=int(time.time()) + 10 * DAY),
    )
    home.export(offer.key, offer.folder / "key.asc")
    offer.more = "trust: {sums: key.asc, max_age: 30d}\n"
    offer.offer(OLD, signed=11)

    built = offer.run()

    assert built.status == 0, built.messages()
    assert "which is yet to come" in built.messages()


def test_a_key_that_soon_ends_is_told_while_there_is_time(offer: Offer, home: GpgHome) -> None:
    offer.home, offer.key = (
        home,
        home.make_key("Ending <ending@example.org>", "ed25519", "20d", at=None),
    )
    home.export(offer.key, offer.folder / "key.asc")
    offer.more = "trust: {sums: key.asc}\n"
    offer.offer(OLD, signed=0)

    first = offer.run("refresh", "--no-splay")
    again = offer.run("refresh", "--no-splay")
    status = release_builder("status", offer.folder / "sme9.yaml", cwd=offer.folder)

    told = "the key of Ending <ending@example.org>"
    assert (first.status, again.status) == (0, 0)
    assert told in first.messages()
    assert told in status.stderr + status.stdout


def test_sums_that_are_too_old_are_refused(signed: Offer) -> None:
    signed.more = "trust: {sums: key.asc, max_age: 30d}\n"
    signed.offer(OLD, signed=-29)
    young = signed.run()
    signed.offer(NEW, signed=-31)
    old = signed.run()

    assert young.status == 0, young.messages()
    assert old.status == 2
    assert "longer ago than the 30 days of `trust.max_age`" in old.messages()
    assert signed.holds(OLD)


@pytest.mark.parametrize(
    ("sums", "words"),
    [
        pytest.param(
            "md5", "md5sum.txt is not signed, and `trust.sums` asks for that", id="unsigned"
        ),
        pytest.param("", "no signed sums file speaks of", id="gone"),
    ],
)
def test_signatures_that_a_mirror_takes_away_are_missed(
    signed: Offer, sums: str, words: str
) -> None:
    signed.offer(OLD, signed=-1)
    signed.run()
    signed.offer(NEW, sums=sums)

    built = signed.run()

    assert built.status == 2
    assert words in built.messages()
    assert signed.holds(OLD)


def test_a_sha256_that_a_mirror_takes_away_is_missed(offer: Offer) -> None:
    offer.offer(OLD, sums="md5 sha256")
    offer.run()
    offer.offer(NEW, sums="md5")

    built = offer.run()
    warned = offer.run(more=WARN)

    assert built.status == 2
    assert "there is md5 alone, but run 1 " in built.messages()
    assert warned.status == 0
    assert offer.holds(NEW)


def test_the_next_version_may_come_without_a_sha256_with_a_warning(offer: Offer) -> None:
    offer.offer(OLD, sums="md5 sha256")
    offer.run()
    offer.version = "9.0beta4"
    offer.offer(NEW, sums="md5")

    built = offer.run()

    assert built.status == 0
    assert "there is md5 alone, but run 1 " in built.messages()
    assert offer.holds(NEW)


@pytest.mark.parametrize("lost", ["sha256sum.txt", "sha256sum.txt.asc"])
def test_a_sums_file_that_a_web_server_cannot_give_now_is_waited_for(
    signed: Offer, lost: str
) -> None:
    signed.more += "fetch: {retries: 0}\n"
    lacking = f"location = /iso/x86_64/{lost} {{ return 503; }}"
    ended = []
    for release, days, more in ((OLD, -2, ""), (NEW, -1, lacking), (NEW, -1, "")):
        signed.offer(release, sums="md5 sha256", signed=days)
        with serve(signed.folder / "mirror", more=more) as server:
            signed.mirror = server.url
            ended.append(signed.run())

    assert [each.status for each in ended] == [0, 1, 0], [each.messages() for each in ended]
    assert f"/{lost}: " in ended[1].messages()
    assert signed.holds(NEW)


def test_a_template_of_sha256_counts_as_well(offer: Offer) -> None:
    offer.offer(issue(1, "sha256"), sums="")
    first = offer.run()
    offer.offer(NEW, sums="")

    built = offer.run()

    assert first.status == 0
    assert built.status == 2
    assert offer.image.read_bytes() == OLD.image


def test_the_sha256_of_before_is_demanded_of_the_same_image(offer: Offer) -> None:
    offer.offer(OLD, sums="md5 sha256")
    offer.run()
    offer.offer(OLD, sums="md5")

    built = offer.run()

    verify = built.document["releases"][0]["steps"][-1]
    assert built.status == 0
    assert "the mirror tells no sha256 any longer; run 1 " in built.messages()
    assert {"sha256", "md5"} <= verify["facts"].keys()
    assert "run 1 of " in verify["facts"]["sources"]


def test_sums_that_are_there_but_not_believed_are_not_missed(signed: Offer) -> None:
    signed.offer(OLD, sums="md5 sha256", signed=-1)
    signed.run()
    (signed.folder / "mirror" / "iso" / "x86_64" / "sha256sum.txt.asc").unlink()
    signed.run()

    verified = signed.run("verify")

    assert verified.status == 2
    assert "sha256sum.txt is not signed" in verified.messages()
    assert "tells no sha256" not in verified.messages()


def test_a_track_that_leads_back_is_refused_before_anything_is_fetched(offer: Offer) -> None:
    offer.tracks, offer.version = True, "9.0beta4"
    offer.offer(NEW)
    first = offer.run()
    offer.version = "9.0beta3"
    offer.offer(OLD)
    (offer.folder / "mirror" / "testing" / "9").symlink_to("9.0beta3")

    planned = offer.run("plan")
    built = offer.run()
    warned = offer.run(more=WARN)

    assert first.status == 0, first.messages()
    assert planned.status == 2
    assert "testing/9 leads back to 9.0beta3" in planned.messages()
    assert built.status == 2
    assert "testing/9 leads back to 9.0beta3, but run 1 " in built.messages()
    assert built.outcomes()["sync"] == "failed"
    assert warned.status == 0
    assert offer.holds(OLD)


def test_refresh_refuses_as_build_does(offer: Offer) -> None:
    for release in (OLD, NEW):
        offer.offer(release)
        offer.run("refresh", "--no-splay")
    offer.offer(OLD)

    refreshed = offer.run("refresh", "--no-splay")

    assert refreshed.status == 2
    assert "an older smeserver-9.0beta3-x86_64.iso is offered" in refreshed.messages()
    assert offer.holds(NEW)


@pytest.mark.parametrize(
    ("sums", "more", "level", "words"),
    [
        pytest.param("md5", "", "integrity", "integrity only: MD5", id="MD5"),
        pytest.param("md5 sha256", "", "digest", "not signed: MD5 and SHA-256", id="SHA-256"),
    ],
)
def test_what_the_word_of_others_is_worth_is_told(
    offer: Offer, sums: str, more: str, level: str, words: str
) -> None:
    offer.more = more
    offer.offer(OLD, sums=sums)

    verify = offer.run().document["releases"][0]["steps"][-1]

    assert verify["facts"]["assurance"] == level
    assert words in verify["summary"]


def test_publish_tells_what_the_word_of_others_was_worth(offer: Offer) -> None:
    offer.more = f"publish: {{root: {offer.folder / 'public'}, preflight: off}}\n"
    offer.offer(OLD, sums="md5 sha256")
    offer.run()

    published = offer.run("publish")

    (step,) = published.document["releases"][0]["steps"]
    assert (published.status, step["facts"]["assurance"]) == (0, "digest"), published.messages()


def test_a_signature_is_told_with_its_day_and_what_it_is_of(signed: Offer) -> None:
    signed.offer(OLD, signed=-1)

    verify = signed.run().document["releases"][0]["steps"][-1]

    assert verify["facts"]["assurance"] == "signed"
    assert verify["facts"]["signed"][:10] in verify["summary"]
    assert "signed by Build <build@example.org>" in verify["summary"]
    assert ", but MD5 alone" in verify["summary"]


def test_a_key_that_was_not_named_is_refused(signed: Offer) -> None:
    signed.more = f"trust: {{sums: key.asc, fingerprints: [{'0' * 40}]}}\n"
    signed.offer(OLD, signed=-1)
    wrong = signed.run()
    signed.more = f"trust: {{sums: key.asc, fingerprints: [{signed.key}]}}\n"
    right = signed.run()

    assert wrong.status == 2
    assert f"key.asc holds the key {signed.key}, which is none of" in wrong.messages()
    assert right.status == 0, right.messages()
