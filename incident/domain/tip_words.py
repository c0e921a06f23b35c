"""The words of the pages on which anybody reports something, and of the mails about it: templates/messages/report/."""

from incident.domain.wordbooks import Wordbook

BOOK = Wordbook("report")
languages, words, fitting = BOOK.languages, BOOK.words, BOOK.fitting
