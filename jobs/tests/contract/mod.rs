//! What every keeper of [`Store`] promises, written once and run on each.
//!
//! A keeper's tests implement [`Keeper`] and name it in [`suite!`]. Time is turned by hand and
//! nothing sleeps: what takes time happens when the clock says so.

pub mod announcements;
pub mod campaigns;
pub mod due;
pub mod endpoints;
pub mod firing;
pub mod fixtures;
pub mod gate;
pub mod hours;
pub mod imports;
pub mod limits;
pub mod lists;
pub mod pace;
pub mod records;
pub mod replies;
pub mod rosters;
pub mod runs;
pub mod unreadable;

use std::sync::Arc;

use gymcall_jobs::store::Store;
use jiff::Timestamp;

/// A keeper under test.
pub trait Keeper: Sized {
    /// An empty store whose clock stands at [`fixtures::start`].
    async fn fresh() -> Self;
    /// The store. Whoever holds on to it must let go before it is reopened.
    fn store(&self) -> Arc<dyn Store>;
    /// Turns the store's clock.
    fn set_clock(&self, now: Timestamp);
    /// Closes the store in order and opens it again.
    async fn reopened(self) -> Self;
    /// Opens what a process that is killed at this instant leaves behind.
    async fn crashed(self) -> Self;
}

/// Runs every promise on a keeper.
macro_rules! suite {
    ($keeper:ty) => {
        $crate::contract::suite! { $keeper;
            records {
                a_record_starts_at_version_one_and_counts_its_writes
                a_write_from_an_old_version_changes_nothing
                a_write_happens_whole_or_not_at_all
                what_is_missing_is_said_to_be_missing
                entries_are_kept_in_order
                changes_are_told_once_they_can_be_read
                everything_survives_a_restart
                what_was_confirmed_survives_a_kill
            }
            announcements {
                announcements_are_kept_with_their_write_and_read_from_any_place
                a_dial_is_announced_only_if_it_begins
                of_a_list_that_is_too_long_the_end_is_kept_and_the_gap_is_told
                a_follower_hears_of_each_announcement_once
                what_happens_to_jobs_and_campaigns_is_announced
                a_campaign_that_is_cancelled_between_its_runs_is_told_to_have_ended_once
                gyms_that_are_added_to_a_campaign_that_was_over_end_it_again
            }
            endpoints {
                an_endpoint_is_written_by_whoever_read_it_last
                an_endpoint_that_was_removed_takes_no_more_writes
            }
            campaigns {
                campaigns_are_listed_newest_first
                suppressions_keep_their_first_entry
                suppressions_are_listed_by_number
                many_numbers_are_suppressed_at_once
            }
            replies {
                a_key_is_taken_once
                a_completed_reply_is_given_again
                a_key_is_free_again_after_a_day
                a_taken_key_stops_the_whole_write
            }
            gate {
                of_many_callers_exactly_one_may_dial
                a_job_that_was_not_read_as_it_is_may_not_be_dialled
                a_job_is_not_dialled_before_its_time_or_after_its_hours
                a_campaign_that_is_not_running_dials_nobody
                only_the_present_run_of_a_campaign_is_dialled
                a_suppressed_number_is_not_dialled
                a_number_is_dialled_by_one_attempt_at_a_time
                the_number_lock_outlasts_any_clock_and_ends_with_the_attempt
                a_quarantined_call_keeps_its_number_and_frees_its_line
                no_more_calls_than_lines
                a_campaign_has_lines_of_its_own
                the_gates_are_checked_in_order
                a_refusal_is_no_new_version
            }
            hours {
                nobody_is_called_by_hours_that_have_changed
                what_waits_follows_its_campaigns_hours_also_after_a_restart
                hours_that_change_twice_end_as_the_last_ones
            }
            limits {
                a_run_never_costs_more_than_its_cap
                what_a_call_did_not_cost_may_be_spent_again
                a_call_that_stays_unclear_keeps_its_reserve
                many_callers_together_spend_no_more_than_the_cap
                no_more_calls_begin_on_a_day_than_may
                many_callers_together_begin_no_more_calls_than_a_day_has
                a_day_is_counted_whether_it_has_a_limit_or_not
                a_breaker_that_is_open_lets_no_dial_begin
                a_campaign_that_begins_to_run_forgets_how_its_calls_ended
                how_calls_of_a_replaced_run_end_says_nothing_of_the_present_one
                limits_outlive_a_kill
            }
            pace {
                one_call_a_second
                five_calls_a_second
                fifty_calls_a_second
                late_callers_never_make_it_too_many
                a_campaign_has_a_pace_of_its_own
                a_refused_caller_is_told_when
            }
            due {
                only_running_campaigns_and_single_calls_are_due
                single_calls_come_first_and_then_the_longest_due
                nothing_is_due_before_its_time
                no_more_is_handed_out_than_can_begin
                a_full_campaign_does_not_hold_up_the_others
                deadlines_are_found_in_order
                open_jobs_are_those_with_a_call_under_way
            }
            imports {
                an_import_is_seen_all_at_once_or_not_at_all
                a_run_has_each_number_once
                rows_keep_the_order_in_which_they_came
                a_row_whose_id_is_taken_leaves_none_of_its_neighbours
                a_campaign_has_one_open_import
                a_dropped_import_leaves_nothing
                a_job_that_follows_a_dropped_import_is_kept
                a_killed_import_leaves_nothing
                an_import_is_published_with_its_reply
                an_import_is_published_with_its_campaign_or_not_at_all
                numbers_are_compared_with_a_run_and_with_the_list
            }
            runs {
                a_run_is_written_when_it_begins_and_once_when_it_ends
                a_run_ends_with_its_last_job_and_is_open_again_with_another
                runs_are_listed_latest_first
                campaigns_are_due_by_their_next_run
                waiting_jobs_of_replaced_runs_are_found
            }
            firing {
                of_many_processes_one_begins_the_run
                what_a_killed_firing_leaves_is_begun_by_the_next
                each_night_has_a_run_with_every_gym_once
                a_run_that_is_replaced_ends_what_waits_and_lets_calls_go_on
                a_run_ends_once
                missed_nights_run_once_or_not_at_all
                nothing_fires_while_a_campaign_is_paused
                the_night_after_one_that_its_cap_has_stopped_begins_by_itself
                an_upload_under_way_holds_the_next_run_up_and_does_not_lose_it
            }
            rosters {
                a_campaign_that_changes_during_an_upload_takes_only_gyms_that_fit_it
                a_list_that_replaces_becomes_the_present_run_with_its_own_gyms
                a_duplicate_has_the_gyms_and_nothing_of_what_became_of_them
            }
            lists {
                counts_are_right_after_any_moves
                pages_are_complete_while_writes_go_on
                lists_are_filtered
                a_foreign_cursor_is_refused
            }
        }
    };
    ($keeper:ty; $($module:ident { $($promise:ident)+ })+) => {
        $(mod $module {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                let keeper = <$keeper as crate::contract::Keeper>::fresh().await;
                crate::contract::$module::$promise(keeper).await;
            })+
        })+
    };
}
pub(crate) use suite;
