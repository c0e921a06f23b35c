"""Which tests are to notice a mistake in which file, by the rooms that `make mutants` takes one by one."""

SENDING = (
    "actions/test_sending_details.py", "actions/test_halts_in_detail.py", "actions/test_sending.py", "actions/test_sending_doubts.py", "actions/test_sending_times.py", "actions/test_sending_together.py",
    "actions/test_sending_workers.py", "actions/test_poison.py", "actions/test_halts.py", "actions/test_taking_over.py",
    "actions/test_worker_of_sending.py", "actions/test_worker_with_carrier.py", "actions/test_calls_of_workers.py", "actions/test_answers_of_batches.py", "actions/test_dispatch_refusals.py", "store/test_claims.py",
    "actions/test_rests_of_channels.py", "actions/test_dead_tokens.py", "actions/test_quieting.py", "actions/test_untellable.py",
    "actions/test_letters.py::test_a_batch_takes_as_many_as_were_asked_for_and_the_next_one_the_others",
    "actions/test_letters.py::test_a_worker_that_dies_while_printing_leaves_no_letter_and_no_doubt",
    "actions/test_letters.py::test_a_worker_that_was_taken_over_keeps_nothing",
    "actions/test_calls.py::test_whom_a_person_is_to_call_waits_and_no_worker_takes_it",
    "actions/test_pretending.py::test_what_the_sandbox_pretends_stands_beside_a_state_that_stays_simulated",
    "actions/test_pretending.py::test_nothing_real_ever_pretends",
    "actions/test_remedies.py::test_codes_that_went_to_others_meanwhile_keep_the_sending_from_starting",
    "actions/test_remedies.py::test_a_sending_that_runs_out_of_codes_waits_for_more_and_goes_on",
    "actions/test_separation.py::test_where_it_is_set_neither_author_nor_approver_starts_the_sending",
    "web/test_rolls.py", "web/test_pretences.py::test_programs_ask_for_the_same_and_for_drills_alone",
)  # fmt: skip
ROOMS: dict[str, dict[str, tuple[str, ...]]] = {
    "record": {
        "incident/domain/audit.py": (
            "domain/test_audit.py", "domain/test_offline_check.py", "domain/test_witness_program.py", "domain/test_second_verifier.py",
            "actions/test_bundles.py", "actions/test_notice_proofs.py",
            "domain/test_witness_program.py", "actions/test_record_keys.py", "actions/test_witnessing.py",
        ),
        "incident/domain/proofs.py": ("domain/test_proofs.py",),
        "incident/store/audit.py": ("store/test_audit.py", "store/test_checkpoints.py", "actions/test_ledger.py"),
        "incident/store/checkpoints.py": ("store/test_checkpoints.py", "actions/test_checkpoints.py", "actions/test_bundles.py"),
        "incident/store/record_keys.py": ("actions/test_record_keys.py", "store/test_checkpoints.py"),
        "incident/actions/record_keys.py": ("actions/test_record_keys.py", "cli/test_record_keys.py", "web/test_record_keys.py"),
        "incident/actions/witnessing.py": ("actions/test_witnessing.py", "web/test_record_keys.py"),
        "incident/actions/ledger.py": ("actions/test_ledger.py", "store/test_audit.py", "store/test_turns.py"),
        "incident/actions/checkpoints.py": ("store/test_checkpoints.py", "actions/test_checkpoints.py", "web/test_checkpoints.py"),
    },
    "approval": {
        "incident/domain/notices.py": ("domain/test_notices.py", "actions/test_notices.py"),
        "incident/actions/notices.py": (
            "actions/test_notices.py", "actions/test_notice_races.py", "web/test_notices.py", "api/test_notices.py",
            "actions/test_separation.py", "actions/test_despite.py", "actions/test_followups.py",
        ),
    },
    "outbox": {
        "incident/domain/deliveries.py": ("domain/test_deliveries.py",),
        "incident/store/claims.py": ("store/test_deliveries.py", *SENDING),
        "incident/actions/sending.py": SENDING,
        "incident/actions/preparing.py": SENDING,
        "incident/actions/settling.py": SENDING,
        "incident/actions/waiting.py": SENDING,
        "incident/actions/hearing.py": SENDING,
        "incident/actions/flows.py": SENDING,
        "incident/actions/giving_back.py": SENDING,
        "incident/actions/finishing.py": SENDING,
        "incident/actions/dead_tokens.py": SENDING,
        "incident/actions/dispatch.py": (*SENDING, "web/test_deliveries.py", "api/test_deliveries.py"),
    },
    "clock": {
        "incident/domain/clock.py": ("domain/test_clock.py", "test_calendars.py"),
        "incident/domain/hours.py": ("domain/test_hours.py",),
    },
    "crypto": {
        "incident/store/primitives.py": ("store/test_primitives.py", "store/test_sealed.py"),
        "incident/store/ciphers.py": ("store/test_sealed_format.py", "store/test_primitives.py", "store/test_sealed.py"),
        "incident/store/sealed.py": ("store/test_sealed.py", "store/test_sealed_columns.py", "actions/test_erasing.py"),
        "incident/store/keys.py": ("store/test_keys.py", "store/test_sealed.py"),
        "incident/store/files.py": ("store/test_sealed_format.py", "store/test_sealed.py"),
        "incident/store/credentials.py": ("store/test_credentials.py", "actions/test_credentials.py", "actions/test_users.py"),
        "incident/domain/second_factor.py": ("domain/test_second_factor.py",),
        "incident/domain/throttle.py": ("domain/test_throttle.py",),
    },
}  # fmt: skip
"""What is mutated, and the tests that speak of it; the ones that enter a function are found by running them once."""
