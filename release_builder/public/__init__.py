"""Where releases are public: folders below a root, each of them replaced in one go.

Layout of a release ``testing/9.0beta3`` below the root, all of it one file system::

    testing/9.0beta3 -> .9.0beta3/20261121T103000Z    what the world sees
    testing/.9.0beta3/20261121T103000Z/               a generation: the release, whole
    testing/.9.0beta3/20261101T080000Z/               the one before, to go back to
    testing/.9.0beta3/20261110T090000Z.back/          one that was taken back for good
    testing/.9.0beta3/next/                           staged, not public yet
    testing/.9.0beta3/.lock                           held while one of us works here
    testing/9 -> 9.0beta3                             a link that leads to the newest release

Without links ``testing/9.0beta3`` is a folder itself and only the replaced generations lie in
``.9.0beta3``, with the link ``public`` that names the generation that the folder is. What a run
that was cut off may leave there besides (``away``, ``last``, ``gone``, ``link``) is put right by
the next that takes the lock. A release that was retired is a link to where it is public now; there
``.9.0beta3/from`` names the folder that it came from.
"""
