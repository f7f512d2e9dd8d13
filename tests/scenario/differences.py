"""Where reeve answers otherwise than nginx or apache2, and why; see differ.py, which reads it. What
stands here was seen with nginx 1.22 and apache2 2.4; sections are those of RFC 9110."""

ANY = "any request"
RANGE = "GET /text.txt | Range: bytes="


def ranges(*values):
    return [RANGE + value for value in values]


def text(*fields):
    return ["GET /text.txt | " + field for field in fields]


def page(*values):
    return ["GET /page.html | Accept-Encoding: " + value for value in values]


def fly(*values):
    return ["GET /fly/page.html | Accept-Encoding: " + value for value in values]


# (peer, fact, ours, theirs, why, requests)
TABLE = [
    # ---- fields that one of them leaves out

    ("nginx", "Accept-Ranges", "bytes", None,
     "nginx says it with 200 only, and not of precompressed files; it is true of all.", [ANY]),
    ("nginx", "Vary", "accept-encoding", "",
     "nginx says it where a sibling is; one may come, and a cache should ask again then (12.5.5).",
     [ANY]),
    ("apache2", "Vary", "accept-encoding", "",
     "This configuration of apache2 says it of the precompressed form only, which is too little:"
     " a cache that has the bare form gives it to all (12.5.5).", [ANY]),
    ("nginx", "validators", "strong", "strong, Sun, 06 Nov 1994 08:49:37 GMT",
     "A 304 with ETag should have no more fields about the file (15.4.5).", [ANY]),
    ("apache2", "validators", "strong", "strong, Sun, 06 Nov 1994 08:49:37 GMT",
     "A 304 with ETag should have no more fields about the file (15.4.5).", [ANY]),
    ("apache2", "Content-Range", "bytes */1000", None,
     "apache2 leaves out how long the file is, which 416 should tell (15.5.17).", [ANY]),
    ("apache2", "Content-Range", "bytes */1", None,
     "apache2 leaves out how long the file is, which 416 should tell (15.5.17).",
     ["GET /one.bin | Range: bytes=1-"]),
    ("apache2", "Content-Range", "bytes */81", None,
     "apache2 leaves out how long the file is, which 416 should tell (15.5.17).",
     ["GET /page.html | Accept-Encoding: gzip | Range: bytes=100000-"]),
    ("apache2", "Content-Length", "0", None,
     "apache2 leaves it out of HEAD where it is 0; it may be told (8.6).", ["HEAD /empty.txt"]),
    ("apache2", "Content-Type", "application/octet-stream", "",
     "apache2 gives no type to a name without extension; a browser would then guess.",
     ["GET /inside"]),

    # ---- ranges

    ("nginx", "status", 200, 416,
     "A malformed Range may be ignored or refused (14.2); ignored, as apache2 does.",
     ranges("-", "a-b", "10-5", "--5", "5", "0-9x", "0x1-5", "0-9;10-19", "+1-5", "0-9,x", "1.5-9",
            ",")),
    ("nginx", "status", 200, 206,
     "nginx passes over a malformed range among good ones, and over white space within one; the"
     " whole field is malformed (14.1.1).", ranges("0-9,10-5", "0 - 9")),
    ("nginx", "status", 206, 416, "A list may have empty elements (5.6.1).",
     ranges("0-9,,20-29", ",0-9", "0-9,")),
    ("apache2", "status", 206, 200, "A list may have empty elements and white space (5.6.1).",
     ranges(" 0-9", "0-9, 20-29", "0-9 ,20-29", ",0-9")),
    ("nginx", "status", 206, 416,
     "A number that is too large to count with is behind the end of the file like any other.",
     ranges("0-18446744073709551616", "-18446744073709551616", "0-9,18446744073709551616-")),
    ("apache2", "status", 206, 200,
     "A number that is too large to count with is behind the end of the file like any other.",
     ranges("0-18446744073709551616", "-18446744073709551616", "0-9,18446744073709551616-")),
    ("apache2", "status", 416, 200,
     "A number that is too large to count with is behind the end of the file like any other.",
     ranges("18446744073709551616-", "18446744073709551616-18446744073709551617",
            "9223372036854775807-9223372036854775808")),
    ("apache2", "status", 416, 200, "The last 0 bytes cannot be satisfied (14.1.2).", ranges("-0")),
    ("nginx", "Content-Range", "bytes 0-19/1000", "bytes 0-9/1000, bytes 10-19/1000",
     "Ranges that touch are joined (15.3.7.2), as by apache2.", ranges("0-9,10-19")),
    ("nginx", "Content-Range", "bytes 0-14/1000", "bytes 0-9/1000, bytes 5-14/1000",
     "Ranges that overlap are joined (15.3.7.2), as by apache2.", ranges("0-9,5-14")),
    ("nginx", "Content-Range", "bytes 0-9/1000", "bytes 0-9/1000, bytes 0-9/1000",
     "Ranges that overlap are joined (15.3.7.2), as by apache2.", ranges("0-9,0-9")),
    ("nginx", "Content-Range", "bytes 0-499/1000", "bytes 0-499/1000, bytes 100-199/1000",
     "Ranges that overlap are joined (15.3.7.2), as by apache2.", ranges("0-499,100-199")),
    ("nginx", "status", 206, 200,
     "nginx sends the whole where the ranges together are longer than the file; joined they are"
     " one range, as with apache2.",
     ranges("0-,0-", "0-999,0-999", "0-,-1000", "0-599,400-999",
            "0-,0-,0-,0-,0-,0-...-,0-,0-,0- (1512)")),
    ("nginx", "status", 200, 206,
     "More ranges than 16 are no honest wish and are ignored (17.15); nginx has no limit.",
     ranges("0-0,2-2,4-4,6-6,8...94,996-996 (3894)", "998-998,988-988,9...,18-18,8-8 (790)")),
    ("apache2", "status", 200, 206,
     "More ranges than 16 are no honest wish and are ignored (17.15); apache2 allows 200.",
     ranges("998-998,988-988,9...,18-18,8-8 (790)")),
    ("nginx", "status", 200, 206, "Range must be ignored with another method than GET (14.2).",
     ["HEAD /text.txt | Range: bytes=0-9", "HEAD /text.txt | Range: bytes=0-9,20-29"]),
    ("apache2", "status", 200, 206, "Range must be ignored with another method than GET (14.2).",
     ["HEAD /text.txt | Range: bytes=0-9", "HEAD /text.txt | Range: bytes=0-9,20-29"]),
    ("nginx", "status", 200, 416, "Range must be ignored with another method than GET (14.2).",
     ["HEAD /text.txt | Range: bytes=5000-"]),
    ("apache2", "status", 200, 416, "Range must be ignored with another method than GET (14.2).",
     ["HEAD /text.txt | Range: bytes=5000-"]),

    # ---- conditions

    ("nginx", "status", 200, 304,
     "Quotes that do not match: what follows is no entity tag (8.8.3).",
     text('If-None-Match: "a, {etag}')),
    ("nginx", "status", 200, 304, "A date has no other zone than GMT; else it is ignored (13.1.3).",
     text("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 +0100")),
    ("apache2", "status", 200, 304,
     "A date has no other zone than GMT; else it is ignored (13.1.3).",
     text("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 +0100")),
    ("nginx", "status", 304, 200,
     "nginx compares for equality, unless it is told otherwise; later is as good (13.1.3).",
     text("If-Modified-Since: {after}")),
    ("nginx", "status", 304, 200, "Beside If-None-Match a date is ignored (13.1.3).",
     text("If-None-Match: {etag} | If-Modified-Since: {before}")),
    ("apache2", "status", 304, 200, "Beside If-None-Match a date is ignored (13.1.3).",
     text("If-None-Match: {etag} | If-Modified-Since: {before}")),
    ("nginx", "status", 200, 412, "A date that cannot be read is ignored (13.1.4).",
     text("If-Unmodified-Since: yesterday")),
    ("nginx", "status", 200, 412, "Beside If-Match a date is ignored (13.1.4).",
     text("If-Match: {etag} | If-Unmodified-Since: {before}")),
    ("apache2", "status", 200, 412, "Beside If-Match a date is ignored (13.1.4).",
     text("If-Match: {etag} | If-Unmodified-Since: {before}")),
    ("apache2", "status", 304, 200,
     "If-Modified-Since is looked at also when If-Unmodified-Since is true (13.2.2).",
     text("If-Unmodified-Since: {date} | If-Modified-Since: {date}")),
    ("apache2", "status", 304, 200, "If-None-Match comes before If-Range (13.2.2).",
     text('If-None-Match: {etag} | If-Range: "none" | Range: bytes=0-9')),

    # ---- fields on several lines, which are one list (5.3)

    ("nginx", "status", 304, 400, "nginx allows one line only; they are a list (5.3).",
     text('If-None-Match: "none" | If-None-Match: {etag}',
          "If-None-Match: {etag} | If-None-Match: *")),
    ("nginx", "status", 200, 400, "nginx allows one line only; they are a list (5.3).",
     text('If-Match: "none" | If-Match: {etag}', "If-Match: {etag} | If-Match: *")),
    ("nginx", "status", 200, 400,
     "nginx allows one line only. A list of dates is no date, and is ignored (13.1.3, 13.1.4).",
     text("If-Modified-Since: {date} | If-Modified-Since: {date}",
          "If-Unmodified-Since: {before} | If-Unmodified-Since: {before}")),
    ("apache2", "status", 200, 304,
     "apache2 reads the first date of a list. It is no date, and is ignored (13.1.3).",
     text("If-Modified-Since: {date} | If-Modified-Since: {date}")),
    ("apache2", "status", 200, 412,
     "apache2 reads the first date of a list. It is no date, and is ignored (13.1.4).",
     text("If-Unmodified-Since: {before} | If-Unmodified-Since: {before}")),
    ("nginx", "status", 200, 400,
     "nginx allows one line only. Two validators match nothing: the whole file (13.1.5).",
     text("If-Range: {etag} | If-Range: {etag} | Range: bytes=0-9",
          "If-Range: {date} | If-Range: {date} | Range: bytes=0-9")),
    ("apache2", "status", 200, 206,
     "apache2 reads the first date of a list. It is no date, and matches nothing (13.1.5).",
     text("If-Range: {date} | If-Range: {date} | Range: bytes=0-9")),
    ("nginx", "status", 200, 206,
     "Range is no list, so two lines make it malformed, as for apache2; nginx heeds the first.",
     text("Range: bytes=0-9 | Range: bytes=20-29")),
    ("nginx", "Content-Encoding", "gzip", None,
     "nginx reads the first line of a list only, which 5.3 does not allow.",
     page("br | Accept-Encoding: gzip")),

    # ---- precompressed siblings

    ("nginx", "Content-Encoding", "gzip", None, "x-gzip is another name of gzip (8.4.1.3).",
     page("x-gzip")),
    ("nginx", "Content-Encoding", "gzip", None, "The asterisk stands for gzip too (12.5.3).",
     page("*")),
    ("apache2", "Content-Encoding", "gzip", None,
     "The asterisk stands for gzip too (12.5.3); apache2's rule is a mere word.", page("*")),
    ("apache2", "Content-Encoding", "gzip", None, "The names of codings have no case (8.4.1).",
     page("GZIP")),
    ("nginx", "Content-Encoding", None, "gzip", "identity is liked better here (12.4.2).",
     page("gzip;q=0.5, identity;q=1")),
    ("apache2", "Content-Encoding", None, "gzip",
     "apache2's rule, as its manual has it, looks for the word gzip and reads no weights"
     " (12.4.2).",
     page("gzip;q=0", "gzip;q=0.5, identity;q=1", "gzip;q=0, *", "gzipped", "gzip;q=2",
          "gzip;q=0.000")),
    ("nginx", "status", 206, 200,
     "nginx sends no ranges of precompressed files. They have tags of their own, so it is safe.",
     page("gzip | Range: bytes=0-9", "gzip | Range: bytes=0-4,10-14",
          "gzip | If-Range: {packed} | Range: bytes=0-9")),
    ("nginx", "status", 416, 200,
     "nginx sends no ranges of precompressed files. They have tags of their own, so it is safe.",
     page("gzip | Range: bytes=100000-")),
    ("nginx", "Content-Type", "application/gzip", "application/octet-stream",
     "nginx has no type for .gz in its table.", ["GET /page.html.gz"]),
    ("apache2", "Content-Encoding", None, "gzip",
     "apache2 is told to take .gz for a coding; asked for by its name it is a file of its own.",
     ["GET /page.html.gz"]),
    ("apache2", "Content-Type", "application/gzip", "text/html",
     "apache2 is told to take .gz for a coding; asked for by its name it is a file of its own.",
     ["GET /page.html.gz"]),
    ("nginx", "status", 404, 200,
     "A sibling stands for a file that is there; alone it would answer some clients only.",
     ["GET /only.html | Accept-Encoding: gzip"]),
    ("apache2", "status", 404, 200,
     "A sibling stands for a file that is there; alone it would answer some clients only.",
     ["GET /only.html | Accept-Encoding: gzip"]),

    # ---- compressed on the fly

    ("nginx", "Content-Encoding", "gzip", None, "x-gzip is another name of gzip (8.4.1.3).",
     fly("x-gzip")),
    ("apache2", "Content-Encoding", "gzip", None, "x-gzip is another name of gzip (8.4.1.3).",
     fly("x-gzip")),
    ("nginx", "Content-Encoding", "gzip", None, "The asterisk stands for gzip too (12.5.3).",
     fly("*")),
    ("apache2", "Content-Encoding", "gzip", None, "The asterisk stands for gzip too (12.5.3).",
     fly("*")),
    ("nginx", "Content-Encoding", None, "gzip", "identity is liked better here (12.4.2).",
     fly("gzip;q=0.5, identity;q=1")),
    ("apache2", "Content-Encoding", None, "gzip", "identity is liked better here (12.4.2).",
     fly("gzip;q=0.5, identity;q=1")),
    ("nginx", "Content-Type", "text/javascript", "application/javascript",
     "The type of scripts is text/javascript (RFC 9239).",
     ["GET /fly/code.js | Accept-Encoding: gzip"]),
    ("apache2", "validators", "weak, Sun, 06 Nov 1994 08:49:37 GMT",
     "strong, Sun, 06 Nov 1994 08:49:37 GMT",
     "Another build of zlib gives other bytes, so the tag is no strong one (8.8.1); nginx has a"
     " weak one too.", [ANY]),
    ("apache2", "Accept-Ranges", None, "bytes",
     "apache2 compresses anew for each range; no ranges are sent here of bytes that may differ the"
     " next time, nor does nginx.", [ANY]),
    ("nginx", "status", 206, 200,
     "A range is one of the bare form, whose tag it has: whoever asks for one gets that.",
     fly("gzip | Range: bytes=0-9", "gzip | Range: bytes=0-4,10-14",
         "gzip | If-Range: {etag} | Range: bytes=0-9",
         "gzip | If-Range: {date} | Range: bytes=0-9")),
    ("nginx", "status", 416, 200,
     "A range is one of the bare form, whose tag it has: whoever asks for one gets that.",
     fly("gzip | Range: bytes=100000-")),
    ("apache2", "Content-Range", "bytes 0-9/2436", "bytes 0-9/81",
     "A range is one of the bare form, whose tag it has; apache2 compresses anew for each range.",
     fly("gzip | Range: bytes=0-9", "gzip | If-Range: {date} | Range: bytes=0-9")),
    ("apache2", "Content-Range", "bytes 0-4/2436, bytes 10-14/2436", "bytes 0-4/81, bytes 10-14/81",
     "A range is one of the bare form, whose tag it has; apache2 compresses anew for each range.",
     fly("gzip | Range: bytes=0-4,10-14")),
    ("apache2", "Content-Encoding", None, "gzip",
     "A range is one of the bare form, whose tag it has; apache2 compresses anew for each range.",
     fly("gzip | Range: bytes=0-9", "gzip | Range: bytes=0-4,10-14",
         "gzip | If-Range: {date} | Range: bytes=0-9")),
    ("apache2", "Content-Range", "bytes */2436", None,
     "apache2 leaves out how long the file is, which 416 should tell (15.5.17).",
     fly("gzip | Range: bytes=100000-")),
    ("apache2", "status", 200, 206,
     "The tag of the compressed form: a range of the bare one would not fit what the client has"
     " (13.1.5).", fly("gzip | If-Range: {packed} | Range: bytes=0-9")),
    ("apache2", "status", 206, 200,
     "The tag of the bare form, of which the range is; apache2 has the compressed one in mind.",
     fly("gzip | If-Range: {etag} | Range: bytes=0-9")),
    *((peer, "Content-Encoding", None, "gzip",
       "A request for a range that If-Range turns into one for the whole is answered in the bare"
       " form, which may be continued by the next range.", fly(*values))
      for peer, values in (
          ("nginx", ["gzip | If-Range: {packed} | Range: bytes=0-9",
                     "gzip | If-Range: {before} | Range: bytes=0-9"]),
          ("apache2", ["gzip | If-Range: {before} | Range: bytes=0-9"]))),
    ("nginx", "validators", "weak", "strong, Sun, 06 Nov 1994 08:49:37 GMT",
     "A 304 has the tag that 200 would have (15.4.5); nginx tells that of the bare form.", [ANY]),
    ("apache2", "validators", "weak", "strong, Sun, 06 Nov 1994 08:49:37 GMT",
     "A 304 has the tag that 200 would have (15.4.5), and no date beside it; see above.", [ANY]),
    ("nginx", "status", 200, 304,
     "Each form has a tag of its own; those of nginx differ by W/ alone, so each is good for both.",
     ["GET /fly/page.html | Accept-Encoding: gzip | If-None-Match: {etag}",
      "GET /fly/page.html | If-None-Match: {packed}"]),
    ("apache2", "status", 200, 304,
     "apache2 looks at the conditions before it compresses, by the tag of the bare form.",
     fly("gzip | If-None-Match: {etag}")),
    ("apache2", "status", 304, 200,
     "apache2 looks at the conditions before it compresses, so the tag it gives is never matched.",
     fly("gzip | If-None-Match: {packed}")),
    ("nginx", "status", 412, 200,
     "The tag of another form than the one that would be sent (13.1.1).",
     fly("gzip | If-Match: {etag}")),
    ("apache2", "status", 412, 200,
     "The tag of another form than the one that would be sent (13.1.1).",
     fly("gzip | If-Match: {etag}")),

    # ---- methods

    ("nginx", "status", 204, 405, "nginx does not know OPTIONS for files.",
     ["OPTIONS /text.txt", "OPTIONS /none", "OPTIONS /sub/"]),
    ("apache2", "status", 204, 200, "Both say what may be done, without a body (9.3.7).",
     ["OPTIONS /text.txt", "OPTIONS *", "OPTIONS /none", "OPTIONS /sub/"]),
    ("nginx", "status", 204, 400, "nginx does not know a target of \"*\" (9.3.7).", ["OPTIONS *"]),
    ("nginx", "Allow", "GET, HEAD, OPTIONS", "", "405 must have Allow (15.5.6).",
     ["POST /text.txt", "PUT /text.txt", "DELETE /text.txt", "PATCH /text.txt",
      "TRACE /text.txt"]),
    ("apache2", "Allow", "GET, HEAD, OPTIONS", "", "405 must have Allow (15.5.6).",
     ["TRACE /text.txt"]),
    ("apache2", "Allow", "GET, HEAD, OPTIONS", "GET, HEAD, OPTIONS, POST",
     "apache2 answers POST with the file, which throws away what was sent.",
     ["PUT /text.txt", "DELETE /text.txt", "PATCH /text.txt"]),
    ("apache2", "status", 405, 200,
     "apache2 answers POST with the file, which throws away what was sent.", ["POST /text.txt"]),
    ("nginx", "status", 501, 405, "No route here knows this method at all (15.6.2).",
     ["BREW /text.txt", "CONNECT /text.txt"]),
    ("nginx", "status", 501, 400, "A method in small letters is another one, not malformed (9.1).",
     ["get /text.txt"]),
    ("apache2", "status", 501, 400, "No route here knows this method at all (15.6.2).",
     ["CONNECT /text.txt"]),
    ("nginx", "status", 405, 404, "The method is looked at before the file.", ["POST /none"]),
    ("apache2", "status", 405, 404, "The method is looked at before the file.", ["POST /none"]),

    # ---- paths

    ("nginx", "status", 404, 200, "Names that begin with a dot are hidden.", ["GET /.hidden"]),
    ("apache2", "status", 404, 200, "Names that begin with a dot are hidden.", ["GET /.hidden"]),
    ("nginx", "status", 400, 200,
     "A fragment is for the client; in a target it is malformed (RFC 9112, 3.2), as for apache2.",
     ["GET /text.txt#part"]),
    ("nginx", "status", 400, 200, "Nothing but http is served here, as with apache2.",
     ["GET ftp://localhost/text.txt"]),
    ("apache2", "status", 200, 404,
     "An escaped slash is a slash, as for nginx; apache2 refuses it by default.",
     ["GET /sub%2findex.html", "GET /sub%2Findex.html", "GET /sub%2f..%2ftext.txt"]),
    ("apache2", "status", 400, 404, "No path has a NUL in it: malformed, as for nginx.",
     ["GET /text.txt%00", "GET /%00", "GET /text.txt%00.html"]),
    ("apache2", "status", 404, 403,
     "A name that is too long for the file system is one that is not there, as for nginx.",
     ["GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaa...aaaaaaaaaa (301)"]),
    ("apache2", "status", 400, 200, "An http URI must have a host (4.2.1), as for nginx.",
     ["GET http:///text.txt"]),
    ("apache2", "status", 400, 200,
     "The path of a target begins with a slash (RFC 9112, 3.2.1), as for nginx.", ["GET ?x"]),
]

def fly(*values):
    return ["GET /fly/page.html | Accept-Encoding: " + value for value in values]


# (peer, fact, ours, theirs, request)
EXPLAINED = {(peer, fact, ours, theirs, name)
             for peer, fact, ours, theirs, _why, names in TABLE for name in names}
