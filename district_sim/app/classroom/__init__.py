"""The class: a teacher leads a lesson, phones guess, vote and run districts of their own.

`lesson` reads lesson files. `room` is all that a class has done, as events and their replay, without input or output.
`journal` keeps the events, `futures` computes runs once for everybody, `views` says what a phone and the teacher see,
`guard` keeps strangers out, `server` joins them. `words` has every text of the two pages, `languages` reads
their translations and those of lessons, `translators` keeps the catalogues up to date.
"""
