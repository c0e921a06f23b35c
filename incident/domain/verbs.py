"""What the record can say: the fixed list of verbs, the sentence each makes, and what its details may hold.

A line outlives every erasure, so it must never hold personal data: its subject is a reference, its details are references,
digests, numbers, times and words of fixed lists. Names, addresses, titles and free text are refused here.
"""

import re
from collections.abc import Mapping

from incident.domain.audit import WORD, canonical

TOKEN = re.compile(r"(?!\+\d{6,15}$)[A-Za-z0-9+/=._:~%#-]{1,200}")
WORDS = re.compile(r"[a-z0-9_-]{1,40}( [a-z0-9_-]{1,40}){0,5}")
KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
GAP = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")
LONGEST_DETAILS = 8_192
DEEPEST_DETAILS = 4

VERBS: dict[str, str] = {
    # verb: what the actor did, in words that follow the actor; {subject} and {any detail} are filled in.
    # access and accounts
    "access.refused": "was refused what only {permit} opens",
    "account.changed": "changed the particulars of {subject}",
    "account.created": "made the account {subject}",
    "account.locked": "locked the account {subject}",
    "account.unlocked": "unlocked the account {subject}",
    "account.warned": "told {subject} of odd tries at their account ({kind})",
    "accounts.tidied": "removed {sessions} sessions and {invitations} invitations that had ended long ago",
    "invitation.accepted": "accepted the invitation {subject}",
    "invitation.issued": "invited a person ({subject})",
    "invitation.revoked": "took back the invitation {subject}",
    "member.added": "gave {subject} access to this incident",
    "member.removed": "took from {subject} the access to this incident",
    "passkey.added": "added the key {subject} to their account",
    "passkey.removed": "removed the key {subject} from their account",
    "passkey.renamed": "gave their key {subject} another name",
    "password.changed": "changed the password of {subject}",
    "emergency.ended": "ended their access to {subject}, which they had opened in an emergency",
    "emergency.opened": "opened the restricted incident {subject} in an emergency ({emergency}), until {until}",
    "emergency.reminded": "reminded {count} people to review the opening {subject}",
    "emergency.reviewed": "reviewed the opening {subject} of this incident: {verdict}",
    "member.ended": "ended the access of {subject} to this incident at its time",
    "guest.invited": "invited the guest {subject} ({capacity}) to {parts}, until {until}",
    "policy.in_force": "set who may do what: {chosen}",
    "roles.asked": "asked that {subject} be given the roles {after} ({request})",
    "roles.declined": "declined the roles {after} for {subject} ({request})",
    "roles.changed": "changed the roles of {subject} from {before} to {after}",
    "session.asserted": "came by the single sign-on as {subject}",
    "session.password_given": "gave the password of {subject}",
    "session.refused": "was refused at sign-in ({subject})",
    "session.signed_in": "signed in",
    "session.signed_out": "signed out",
    "session.signed_out_everywhere": "signed {subject} out everywhere",
    "setup.offered": "offered the set-up link {subject} to the first administrator",
    "sign_on.bound": "bound the identity {subject} at the single sign-on to the account {account}",
    "sign_on.opened": "opened the single sign-on again",
    "sign_on.shut": "shut the single sign-on; {sessions} sessions that had begun there ended",
    "sign_on.unbound": "took the identity {subject} at the single sign-on off the account {account}",
    "team_mail.settled": "recorded what became of the mail {subject} to {to} about {kind}: {state}",
    "token.issued": "issued the access token {subject}",
    "token.reminded": "reminded the owner of the access token {subject} that it ends soon",
    "token.revoked": "revoked the access token {subject}",
    "second_factor.recovery_codes": "made new recovery codes for {subject}",
    "second_factor.reset": "reset password and second factor of {subject}",
    "second_factor.set_up": "set up the second factor of {subject}",
    # incidents, facts, notes, evidence
    "evidence.added": "added the evidence {subject}",
    "evidence.downloaded": "downloaded the evidence {subject}",
    "evidence.moved": "recorded a change of custody of {subject}",
    "database.granted": "gave the database account of the application its rights on {tables} tables",
    "evidence.searched": "searched the evidence {subject} for malware: {verdict}",
    "facts.recorded": "recorded facts: {keys}",
    "incident.bundle_begun": "began to put together all about the incident {subject}",
    "incident.bundled": "put together all about the incident {subject}: {files} files, listed in {manifest}",
    "incident.closed": "closed the incident {subject}",
    "incident.opened": "opened the incident {subject}",
    "incident.lead_changed": "put {lead} in the lead of {subject}",
    "incident.renamed": "gave the incident {subject} another title",
    "incident.reopened": "reopened the incident {subject}",
    "incident.restricted": "restricted the incident {subject} to its members",
    "incident.unrestricted": "opened the incident {subject} to the whole team",
    "privilege.lifted": "lifted the privilege mark of {kind} {item} ({subject})",
    "privilege.marked": "marked {kind} {item} as privileged: {basis} ({subject})",
    "note.added": "wrote the note {subject}",
    "note.handed_over": "handed over to the next shift ({subject})",
    # what somebody outside tells us
    "tip.added_to": "added to the report {subject} from outside ({way})",
    "tip.answered": "answered whoever sent the report {subject}",
    "tip.erased": "destroyed the key to the report {subject}, whose time to be kept was over",
    "tip.file_taken": "downloaded the file {file} of the report {subject}",
    "tip.mail_settled": "recorded what became of the e-mail about the report {subject}: {state}",
    "tip.read": "read the report {subject}",
    "tip.received": "sent the report {subject} from outside ({kind}, {way})",
    "tip.settled": "settled the report {subject}: {outcome}",
    "tip.sorted": "said that the report {subject} is about: {kind}",
    "tip.taken": "took the report {subject} in hand",
    "tip.taken_out": "took the report {subject} out of this incident",
    "tip.unlinked": "took back that the report {subject} repeats another one",
    # what people ask
    "enquiry.address_proved": "proved a new address for {person} ({subject}), which replaced the old one",
    "enquiry.answered": "answered the enquiry {subject} by {way}",
    "enquiry.asked_back": "wrote to who sent the request {subject} by {way}; it stays open",
    "enquiry.closed": "closed the enquiry {subject} without an answer",
    "enquiry.code_refused": "gave a wrong code for the new address of {subject}, try {tries}",
    "enquiry.decided": "decided about {subject}, whose sender says that it was not meant for them: {verdict} ({channel})",
    "enquiry.handed_over": "treats the enquiry {subject} as a request ({right}), to be answered by {due} ({rule})",
    "enquiry.language_set": "set the language of the enquiry {subject} to {language}",
    "enquiry.letter_sent": "had a letter sent to who asks for it in {subject}: {attempt}",
    "enquiry.mail_settled": "recorded what became of the mail {message} of the enquiry {subject}: {state}",
    "enquiry.longer_taken": "took more time for the request {subject}, until {due} ({rule}), and said why by {way}",
    "enquiry.merged": "joined the enquiry {subject} to {into}",
    "enquiry.noted": "kept a note with the enquiry {subject}",
    "enquiry.parted": "took the enquiry {subject} apart from {other}",
    "enquiry.received": "took in the enquiry {subject} ({kind}) by {source}, to be answered by {due} ({rule})",
    "enquiry.request_decided": "answered the request {subject} by {way}: {decision}",
    "enquiry.seen": "saw in clear who sent the enquiry {subject}",
    "enquiry.taken": "put the enquiry {subject} in the care of {owner}",
    "enquiry.asked_again": "wrote on the page to the enquiry {subject} again",
    "enquiry.read": "read on the page what we answered to the enquiry {subject}",
    "enquiry.written_again": "took in another mail to the enquiry {subject}",
    # notices and announcements
    "announcement.alarmed": "called {level} about the public page {subject} after {looks} bad looks: {messages} messages",
    "announcement.checked": "looked at the public page {subject} on its day {day}: {sight} ({digest})",
    "announcement.ended": "looked at the public page {subject} after its end, on day {day}: {sight} ({digest})",
    "announcement.posted": "saw the public page {subject} begin to stand: {sight} ({digest})",
    "announcement.published": "made {subject} public in {languages}",
    "announcement.taken_down": "took the public page {subject} down",
    "media.asked": "had version {version} of the notice {subject} handed to {count} newsrooms by {way}",
    "media.settled": "recorded what became of {subject} for the newsroom {outlet}: {state}",
    "outlet.kept": "put the newsroom {subject} on the list",
    "outlet.removed": "took the newsroom {subject} off the list",
    "public_task.declined": "decided not to tell the public for the duty {duty} ({subject})",
    "public_task.drafted": "began {notice} to tell the public or the media for the duty {duty} ({subject})",
    "notice.approved": "approved version {version} of the notice {subject} for {people} people",
    "notice.announcement_proposed": "began the announcement {subject} for those whom {sending} did not reach: {states} of {people}",
    "notice.drafted": "began the notice {subject}",
    "notice.extended": "began {subject}, the text of {notice} for {people} people found later",
    "notice.edited": "changed the notice {subject}",
    "notice.person_seen": "looked at the notice {subject} as {person} will read it, in clear ({why})",
    "notice.sent_back": "sent version {version} of the notice {subject} back",
    "notice.submitted": "submitted version {version} of the notice {subject} for approval, to {people} people",
    "notice.tested": "sent a test of the notice {subject} to themselves or their team by {channel}",
    "notice.supplemented": "began {subject}, a correction for the {people} people whom {notice} told",
    "notice.translation_read": "read the text of the notice {subject} in {language}: it says what it should",
    "notice.voided": "voided version {version} of the notice {subject}, which had been {was}",
    "notice.withdrawn": "withdrew the notice {subject}",
    "preflight.asked": "had the notice {notice} and the {people} people it goes to checked ({subject})",
    "preflight.broken_off": "broke off the check of the notice {notice}, which had changed ({subject})",
    "preflight.finished": "checked the notice {notice} for {people} people ({subject})",
    # reports to authorities
    "report.discarded": "discarded the draft {subject}",
    "report.exported": "made a {kind} file of the draft {subject}",
    "report.filed": "filed the report {subject} ({form}, {stage}) by {channel}",
    "report.receipt_added": "added the authority's answer to {subject}",
    "report.saved": "wrote at the report {subject}",
    "report.started": "began the report {subject} ({form}, {stage})",
    "summary.exported": "made a {kind} summary of {subject}",
    "vulnerability.recorded": "put {subject} on the register of vulnerabilities: {state}, {level}, exploited: {exploited}",
    "vulnerability.changed": "described the vulnerability {subject} anew: {state}, {level}, exploited: {exploited}",
    "vulnerability.linked": "said that this incident has to do with the vulnerability {subject}",
    "vulnerability.reported": "put the report {tip} to the vulnerability {subject}",
    "vulnerability.unlinked": "took back that this incident has to do with the vulnerability {subject}",
    "channel.proved": "sent a test by {subject}, which its provider took",
    "channel.sampled": "had a sample {subject} made, to look at",
    "channel.tested": "sent themselves a test by {subject}",
    "measures.exported": "made a {kind} page of the measures of {months} months",
    # asks of one's own systems
    "ask.asked": "asked the system {endpoint} to {kind}, accounts: {accounts} ({subject})",
    "ask.repeated": "had batches of {subject} handed over once more: {batches}",
    "ask.settled": "recorded what became of batch {batch} of {subject}: {state}",
    "ask.told": "was told of batch {batch} of {subject}: {done} done, {failed} failed; {left} left in all",
    # remedies
    "remedy.changed": "described the remedy {subject} anew: {services}, months: {months}",
    "remedy.codes_brought": "brought codes for the remedy {subject}: {taken} new, {known} known, {refused} refused",
    "remedy.codes_dropped": "destroyed codes of the remedy {subject} that nobody was given: {count}",
    "remedy.given": "gave codes of the remedy {subject} to people: {people}",
    "remedy.offered": "set up the remedy {subject}: {services}, months: {months}",
    "remedy.redeemed": "noted codes of the remedy {subject} as redeemed: {taken}",
    "remedy.taken_back": "put the code of {person} back to the remedy {subject}, since it never left",
    # duties
    "duty.acknowledged": "said that they have the duty {duty} ({subject})",
    "duty.handed_over": "gave the duty {duty} ({subject}) to {to}",
    "finding.accepted": "accepted the finding {subject} ({duty}): {after}",
    "finding.met": "marked the duty {duty} as met ({subject})",
    "finding.taken_back": "took back that the duty {duty} was {before} ({subject})",
    "finding.waived": "waived the duty {duty} ({subject})",
    "findings.accepted": "accepted {count} findings",
    "findings.assessed": "worked out again what is owed: {owed} became owed, {opened} open, {closed} no longer open, {lifted} no longer owed, {moved} due at another time",
    "laws.changed": "assessed {subject} again with changed laws",
    "laws.compared": "compared {incidents} incidents with changed laws ({subject}): {changed} would change",
    "laws.edition_used": "began to use the laws of version {version} ({subject})",
    "laws.taken": "took the changed laws for {subject}",
    # filters of lists under a name, and forms that came late
    "filter.changed": "changed their filter {subject} of the list {listing}; for the team: {shared}",
    "filter.deleted": "deleted their filter {subject} of the list {listing}",
    "form.dropped": "threw away {subject}, a form of their own that had come after their session ended",
    "filter.kept": "kept a filter of the list {listing} ({subject}); for the team: {shared}",
    # reminders, alerts, calendars
    "alert.removed": "removed the target of alerts {subject}",
    "alert.set_up": "set up the target of alerts {subject} ({kind}), told from {level} on",
    "alert.tried": "tried the target of alerts {subject}: {outcome}",
    "calendar.ended": "ended the calendar feed {subject}",
    "calendar.issued": "made the calendar feed {subject}",
    "reach.changed": "chose how to be reminded: {channels}",
    "reach.device_gone": "was told that their own device is reached by push no more: its token is dead",
    "reach.device_offered": "had a code sent to a device of their own",
    "reach.device_proved": "proved a device to be their own",
    "reach.device_removed": "removed their own device",
    "reach.phone_called": "had a code for a phone number of their own read out by a call",
    "reach.phone_offered": "had a code sent to a phone number of their own",
    "reach.phone_proved": "proved their phone number",
    "reach.phone_removed": "removed their phone number",
    "reach.tried": "sent a test to themselves by {channel}: {outcome}",
    "reminder.settled": "recorded what became of the reminder {subject} to {to} by {channel}: {state}",
    "reminders.given": "gave reminders of {count} duties in {subject}: {messages} messages",
    "reminders.widened": "called a wider circle about {count} duties of {subject}, since nobody could be reached: {messages} messages",
    # webhooks
    "webhook.changed": "changed the webhook endpoint {subject}, which wants {types} types of events",
    "webhook.removed": "removed the webhook endpoint {subject}; {unsent} events were not sent",
    "webhook.replayed": "had {events} events sent once more to the webhook endpoint {subject}",
    "webhook.rotated": "gave the webhook endpoint {subject} another secret",
    "webhook.set_up": "set up the webhook endpoint {subject}, which wants {types} types of events",
    "webhook.settled": "recorded what became of line {line} ({verb}) for the webhook endpoint {subject}: {state}",
    "webhook.switched_off": "switched the webhook endpoint {subject} off: {why}",
    "webhook.switched_on": "switched the webhook endpoint {subject} on again; {unsent} events were left out",
    "webhook.tried": "tried the webhook endpoint {subject}: {outcome}",
    "webhooks.gathered": "queued {events} events for the webhook endpoint {subject}, of lines {since} to {until}",
    "webhooks.tidied": "took {events} events that were settled long ago out of the log of webhooks",
    # grades, plans, closing
    "grade.chosen": "graded the incident on the scale {scale}: {after}",
    "grade.suggested": "worked out the grade on the scale {scale}: {after}",
    "plan.activated": "activated the plan {subject} ({playbook}, {steps} steps)",
    "plan.worked_out_again": "worked out again which steps are needed and by when: {steps} changed",
    "improvement.added": "asked for the improvement {subject}, to be done by {due}",
    "improvement.dropped": "decided not to do the improvement {subject}",
    "improvement.finished": "finished the improvement {subject}",
    "improvement.handed_over": "gave the improvement {subject} to {to}",
    "improvement.moved": "moved the improvement {subject} to {due}",
    "improvement.reopened": "took up again the improvement {subject}",
    "leftovers.removed": "removed {forms} forms that nobody sent again and {answers} kept answers, whose time was over",
    "lesson.accepted": "accepted the lesson {subject}",
    "lesson.adopted": "adopted the lesson {subject} ({kind}: {target})",
    "lesson.declined": "declined the lesson {subject}",
    "lesson.handed_over": "gave the lesson {subject} to {to}",
    "lesson.proposed": "proposed the lesson {subject} ({kind}: {target})",
    "review.exported": "made a {kind} file of the review of {subject}",
    "review.meeting_called": "reminded {people} people of the meeting {subject} of the review",
    "review.meeting_planned": "planned the meeting {subject} of the review for {at}, with {people} people",
    "review.moment_changed": "edited the moment {subject} of the review",
    "review.moment_taken_out": "took the moment {subject} out of the review",
    "review.moments_added": "put {moments} moments into the time line of the review of {subject}",
    "review.written": "wrote the review {subject}",
    "step.finished": "finished the step {subject} ({step})",
    "step.handed_over": "gave the step {subject} ({step}) to {to}",
    "step.reopened": "took up again the step {subject} ({step})",
    "step.skipped": "left out the step {subject} ({step})",
    "step.taken": "took on the step {subject} ({step})",
    # drills
    "drill.ended": "ended the drill {subject} at its minute {minute}: {score} of 100",
    "drill.exported": "made a {kind} file of how the drill {subject} went",
    "drill.inject_added": "wrote the inject {subject} for minute {minute} of the drill",
    "drill.inject_answered": "answered the inject {subject} ({key})",
    "drill.inject_arrived": "let the inject {subject} ({key}) come in at minute {minute} of the drill",
    "drill.inject_skipped": "left out the inject {subject} ({key})",
    "drill.lesson_proposed": "proposed the lesson {lesson} from the drill {subject}",
    "drill.paused": "stopped the clock of the drill {subject} at its minute {minute}",
    "drill.remarked": "wrote of the drill {subject} what {kind}",
    "drill.resumed": "let the clock of the drill {subject} go on",
    "drill.started": "began the drill {subject} by the scenario {scenario}, {factor} minutes in one",
    "drill.taken_over": "took the drill {subject} over from {before}",
    # sending
    "deliveries.cancelled": "cancelled {count} of whom there is nobody to tell any more ({subject}): {reason}",
    "deliveries.climbed": "moved {count} on to their next channel, {channels} ({subject})",
    "deliveries.decided": "decided on {count} that were {state} in the sending {subject}: {verdict}",
    "deliveries.doubts_settled": "settled {count} in doubt of the sending {subject}: {verdict}",
    "deliveries.handed_over": "began to hand over {count} by {channel} ({subject})",
    "deliveries.handed_over_care": "gave {count} into the care of {owner} ({state}, {subject})",
    "deliveries.in_doubt": "found {count} in doubt after a worker died ({subject})",
    "call.given_back": "gave back the call {subject}, which was not made",
    "call.recorded": "said what became of the call {subject}: {outcome}",
    "call.taken": "took the call to {person} in hand and saw their number ({subject})",
    "deliveries.looked_up": "asked {provider} about {count} in doubt of the sending {subject}: {verdicts}",
    "deliveries.made": "put people {first} to {last} on the list of {subject}: {channels}",
    "deliveries.no_channel_left": "found no channel left for {count} ({subject})",
    "deliveries.repeated": "had {count} that failed sent again ({subject})",
    "deliveries.reported": "reported on the sending {subject}: {states}",
    "deliveries.returned": "gave back {count} that were not handed over ({subject})",
    "deliveries.put_off": "put off {count} by {channel} for whom it was night ({subject})",
    "deliveries.set_aside": "set aside {count}, whose record ended the worker three times alone ({subject})",
    "deliveries.settled": "recorded the answers to a batch by {channel} ({subject}): {states}",
    "deliveries.told_before": "found {count} told by an earlier attempt ({subject})",
    "deliveries.taken_in_care": "took {count} into care ({state}, {subject})",
    "delivery.found_sent": "found that {subject}, which was in doubt, was sent",
    "delivery.next_channel": "had {subject} followed by another channel: {channel}",
    "call.wanted": "asked on the public page to be called about {subject}",
    "delivery.read": "confirmed on the public page to have read what {subject} brought",
    "delivery.sent_again": "had {subject} sent again, as attempt {attempt}",
    "dispatch.erased": "ended the sending {subject}, whose people were erased: {counts}",
    "dispatch.in_doubt": "had nothing left to send in {subject}, and people in doubt: {counts}",
    "dispatch.finished": "finished the sending {subject}: {counts}",
    "dispatch.not_started": "did not begin to send version {version} of {subject} at its time: the rules said no",
    "dispatch.paused": "paused the sending {subject}: {reason}",
    "dispatch.prepared": "put all {people} people on the list of the sending {subject}",
    "dispatch.resumed": "let the sending {subject} go on",
    "dispatch.started": "began to send version {version} of the notice {notice} to {people} people ({subject})",
    "dispatch.stopped": "stopped the sending {subject} for good; {cancelled} were not told",
    "mailbox.read": "read the message {subject} in the sandbox's mailbox",
    "sandbox.pretended": "let the sandbox report on {count} messages of the drill ({subject})",
    "provider.alarm": "reported what must not happen ({subject}): {kinds}",
    "provider.unmatched": "reported {count} that fit nothing we sent ({subject})",
    # the record itself
    "checkpoint.cosigned": "took in what witnesses signed on the checkpoint {subject} ({keys})",
    "checkpoint.mailed": "sent the checkpoint {subject} to {people} auditors",
    "checkpoint.signed": "signed the checkpoint {subject}",
    "checkpoint.stamped": "had the checkpoint {subject} stamped with the time ({state})",
    "checkpoint.stamp_failed": "got no time stamp for the checkpoint {subject} ({reason})",
    "record.key_changed": "changed the key of the record to {subject}, signed by the one before",
    "record.key_replaced": "replaced the lost key of the record by {subject}, without its signature, together with {second}",
    "record.checked": "looked at the record since its newest checkpoint ({subject}): {troubles} found wrong",
    # people and their lists
    "erasures.repeated": "erased again what a restored database had brought back: {keys} keys, {people} people",
    "erasure.asked": "asked to erase {about} ({subject}, {why})",
    "erasure.refused": "said no to erasing {about} ({subject})",
    "files.expired": "took away {files} files of {subject}, whose time to be kept was over",
    "hold.lifted": "lifted the legal hold {subject}",
    "hold.placed": "placed the legal hold {subject}: nothing of the incident is erased",
    "letters.asked": "asked for up to {most} letters of the sending {dispatch} ({subject})",
    "letters.downloaded": "downloaded a print file of the letters {subject}",
    "letters.files_cleared": "took away {count} print files that a dead worker had left of the letters {subject}",
    "letters.none": "found no letter to print for {subject}",
    "letters.posted": "said that the {count} letters {subject} left on {day} ({way})",
    "letters.printed": "printed {count} letters on {pages} pages into {subject}",
    "letters.return_undone": "took back that a letter had come back ({subject}, {batch})",
    "letters.returned": "noted {count} letters as come back: {why} ({subject})",
    "letters.thrown_away": "threw away the {count} printed letters {subject} before anything was posted",
    "incident.erased": "destroyed the key to all personal data of {subject}",
    "keys.added": "made the master key {number}",
    "keys.dropped": "destroyed the old master key {number}",
    "keys.rewrapped": "wrapped the data key of {subject} by master key {number}",
    "list.batch_taken": "took in rows up to {to_row} of the list {subject}: {taken} people, {suspects} possible duplicates, {refused} refused, {empty} empty",
    "list.batch_read": "read rows up to {to_row} of the list {subject}: {taken} people, {refused} refused, {empty} empty",
    "list.compared": "compared part {part} of {parts} of the list {subject} with everybody who was there",
    "list.duplicates_found": "found {suspects} possible duplicates in the list {subject}",
    "list.import_claimed": "began to take in the list {subject} after row {after_row}",
    "list.import_done": "finished the list {subject}: {rows} rows, {taken} people, {suspects} possible duplicates, {refused} refused, {empty} empty",
    "list.import_failed": "stopped the list {subject}, which cannot be read further, after {rows} rows",
    "list.import_started": "started to take in the list {subject} as wave {wave}",
    "list.read": "read the list {subject} up to row {to_row}, and compares its people",
    "list.refused_seen": "downloaded the refused rows of the list {subject}",
    "list.taken_back": "took back {people} people of the list {subject}",
    "list.uploaded": "brought the list {subject}",
    "list.withdrawn": "withdrew the list {subject}",
    "people.push_lost": "noted that the push tokens of {count} people belong to no device any more ({subject})",
    "people.identical_joined": "joined {pairs} pairs of identical records",
    "people.pairs_decided": "decided about all {pairs} possible duplicates that are left, as {what} ({subject})",
    "people.pairs_settled": "had {pairs} possible duplicates settled in the background ({subject})",
    "people.kept_apart": "decided that {pairs} pairs of records that differ are two people each: {people} more people stand on the list",
    "people.listed": "downloaded the masked list of people",
    "person.added": "added the person {subject}",
    "person.corrected": "corrected {fields} of {subject}",
    "person.erased": "erased the contact data of {subject}",
    "people.sought": "looked for one person in {incidents} incidents, and found {found}",
    "person.found": "looked for a person by their contact data; {found} found",
    "person.joined": "decided that {subject} and {twin} are the same person",
    "person.kept_apart": "decided that {subject} and {twin} are two people",
    "person.proof_made": "made the proof of notice for {subject}: {files} files, listed in {manifest}",
    "person.removed": "took {subject} off the list",
    "organisation.taken_up": "brought {incidents} open incidents up to what is said of the organisation: {fields}",
    "organisation.changed": "said on its page who the organisation is: {fields}",
    "retention.changed": "changed how many days the rule {subject} keeps, from {before} to {after}",
    "words.sealed": "sealed the words of {rows} rows that an older version had kept in clear",
    "wave.found_later": "said when wave {wave} was found after the others: {discovered_at}",
    "person.seen": "looked at the contact data of {subject} in clear ({why}): {parts}",
    # operations
    "instance.backed_up": "made the backup {subject}",
    "instance.copied": "noticed that this database is a copy of the one it was; sending is frozen",
    "instance.restored": "restored this installation from a backup that ended at line {size}; sending is frozen",
    "sending.frozen": "froze all sending",
    "sending.released": "released the sending that was frozen",
}


class Unspeakable(ValueError):
    """A line that the record must not hold; a mistake in the program, never the reader's."""


def speakable(verb: str, subject: str, incident: str | None, details: Mapping[str, object]) -> str:
    """The canonical details of a line that may be written. Raises Unspeakable for unknown verbs and for free text."""
    if verb not in VERBS:
        raise Unspeakable(f"The verb {verb!r} is not in incident/domain/verbs.py.")
    if not WORD.fullmatch(subject):
        raise Unspeakable(f"The subject of {verb} is not a reference.")
    if incident is not None and not WORD.fullmatch(incident):
        raise Unspeakable(f"The incident of {verb} is not a reference.")
    for key, value in details.items():
        _check(verb, key, value, 1)
    text = canonical(details)
    if len(text) > LONGEST_DETAILS:
        raise Unspeakable(f"The details of {verb} are longer than {LONGEST_DETAILS} characters: use a digest.")
    return text


def _check(verb: str, key: str, value: object, depth: int) -> None:
    if not KEY.fullmatch(key):
        raise Unspeakable(f"A detail of {verb} has a name that is not a plain word.")
    if isinstance(value, str):
        if not (TOKEN.fullmatch(value) or WORDS.fullmatch(value) or value == ""):
            raise Unspeakable(
                f"The detail {key!r} of {verb} is not a reference, digest, time or word of a list. "
                "Personal data and free text can never be taken out of the record: write a digest instead."
            )
    elif isinstance(value, Mapping | list | tuple) and depth < DEEPEST_DETAILS:
        inner = value.items() if isinstance(value, Mapping) else ((key, item) for item in value)
        for name, item in inner:
            _check(verb, name, item, depth + 1)
    elif value is not None and not isinstance(value, int):
        raise Unspeakable(f"The detail {key!r} of {verb} is a {type(value).__name__}, which a line cannot hold.")


def sentence(verb: str, subject: str, details: Mapping[str, object]) -> str:
    """What the actor did, to follow the actor's name: "approved the notice N-7K3MXW2Q"."""
    pattern = VERBS.get(verb, verb.replace("_", " ").replace(".", ": ") + " {subject}")
    return GAP.sub(lambda gap: subject if gap[1] == "subject" else spoken(details.get(gap[1])), pattern)


def spoken(value: object) -> str:
    """A detail in words: lists with commas, counts by place, yes and no, a dash for nothing."""
    if value is None or value == "" or value == [] or value == {}:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        counted = {key: item for key, item in value.items() if item != 0} or value
        return ", ".join(f"{key} {spoken(item)}" for key, item in counted.items())
    if isinstance(value, list | tuple):
        return ", ".join(spoken(item) for item in value)
    return str(value)
