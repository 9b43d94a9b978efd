"""Few bytes that would become many are refused in time, and before they take any memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bombs import MEMORY, Ground

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

_REFUSED = {
    "xml_packed_by_gzip": "more than 67,108,864 bytes",
    "xml_packed_by_bzip2": "more than 67,108,864 bytes",
    "xml_packed_by_xz": "more than 67,108,864 bytes",
    "xz_of_a_huge_dictionary": "Memory usage limit exceeded",
    "xml_of_many_entities": "declares entities or a document type",
    "xml_of_another_file": "declares entities or a document type",
    "xml_without_bottom": "nested too deeply",
    "xml_of_one_tag": "a tag has more than",
    "xml_of_one_comment": "a tag has more than",
    "treeinfo_of_wrong_lines": "more than 2,000 lines",
    "rpm_of_shared_strings": "values of its header are too large",
    "rpm_of_long_strings": "values of its header are too large",
    "rpm_of_many_values": "tag 1003 of its header is broken",
    "rpm_of_a_huge_header": "is too large",
    "squashfs_of_many_files": "its definitions are too large",
    "yaml_of_aliases": "anchors (&) and aliases (*) are not allowed",
    "yaml_of_aliases_in_a_profile": "anchors (&) and aliases (*) are not allowed",
    "yaml_without_bottom": "nested too deeply",
    "yaml_of_keys_without_bottom": "nested too deeply",
    "yaml_of_many_values": "more than 10,000 values",
    "yaml_of_a_large_file": "larger than 1,048,576 bytes",
    "json_without_bottom_in_meta": "recursion depth",
    "json_without_bottom_in_a_configuration": "recursion depth",
    "json_without_bottom_in_a_record": "recursion depth",
    "json_without_bottom_in_definitions": "recursion depth",
    "json_of_a_long_number_in_meta": "Exceeds the limit",
    "json_of_a_large_number_in_meta": "not what a repository's meta file must be",
    "iso_of_folders_without_bottom": "directories too deep",
    "iso_of_overlapping_folders": "overlap",
    "iso_of_names_that_never_end": "continued without end",
    "iso_of_many_names_for_one_file": "",
    "udf_of_a_folder_in_itself": "form a loop",
    "el_torito_of_many_images": "",
    "tar_of_a_long_name": "tar: ",
    "tar_of_a_large_file": "outside the image",
    "zip_of_a_large_directory": "too long for a table",
    "zip64_of_many_members": "zip: ",
    "sums_of_ten_gigabytes": "larger than 8,388,608 bytes",
    "sums_of_one_line": "a line of more than 65,536 bytes",
    "jigdo_packed_by_gzip": "larger than 67,108,864 bytes",
    "jigdo_of_many_lines": "more than 524,288 lines",
    "jigdo_of_labels_that_double": "leads to more than 256 URLs",
    "rsync_says_a_line_without_end": "a line of more than 65,536 bytes",
    "program_that_prints_without_end": "prints more than 33,554,432 bytes",
    "program_that_complains_at_length": "",
    "hook_that_prints_without_end": "",
    "page_of_tags_without_end": "",
    "page_of_many_links": "",
    "http_page_without_end": "more than 4,194,304 bytes",
    "http_chunks_without_end": "cannot be listed: out of time",
    "http_chunk_with_a_size_without_end": "cannot be listed",
    "http_trailers_without_end": "cannot be listed",
    "http_headers_without_end": "cannot be listed",
    "http_header_without_end": "more than 65,536 bytes of headers",
    "http_headers_of_many_connections": "more than 65,536 bytes of headers",
    "http_status_without_end": "more than 65,536 bytes of headers",
    "http_answers_that_are_none": "more than 65,536 bytes of headers",
}


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    with Ground() as ground:
        yield ground


@pytest.mark.parametrize(
    ("name", "words"), [pytest.param(*row, id=row[0]) for row in _REFUSED.items()]
)
def test_a_bomb_is_refused_in_time_and_in_bounds(ground: Ground, name: str, words: str) -> None:
    blast = ground.set_off(name)

    assert words in blast.words
    assert bool(words) == bool(blast.words)
    assert blast.peak < MEMORY, f"{blast.peak:,} bytes"
