"""The words of the page on which anybody checks a notice, and of mails about an enquiry: templates/messages/check/."""

from incident.domain.wordbooks import Wordbook

BOOK = Wordbook("check")
languages, words, fitting = BOOK.languages, BOOK.words, BOOK.fitting
