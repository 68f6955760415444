"""The table of jobs that documents and health show."""

from typing import Any

import streamlit as st

from apps.admin import texts_documents as words
from apps.admin.confirming import dialog_open
from apps.admin.session import Visit, named, say
from apps.admin.shapes import Job
from apps.admin.tables import moment, show_table

UNFINISHED = "unfinished jobs"


def show_jobs(visit: Visit, key: str) -> None:
    """Show the newest jobs; when one that was watched has ended, the page around them is read anew."""
    found = visit.client.jobs(limit=100)
    unfinished = {job.id for job in found.items if job.status in ("waiting", "running")}
    watched = st.session_state.get(UNFINISHED, set())
    st.session_state[UNFINISHED] = unfinished
    formats = {say(words.PROGRESS): st.column_config.ProgressColumn(min_value=0, max_value=100, format="%d%%")}
    show_table([_row(job) for job in found.items], key, say(words.NO_JOBS), total=found.total, formats=formats)
    if watched - unfinished and not dialog_open():
        st.rerun()


def _row(job: Job) -> dict[str, Any]:
    return {
        say(words.KIND): named(words.JOB_KINDS, job.kind),
        say(words.SOURCE): job.source,
        say(words.STATUS): named(words.JOB_STATUSES, job.status),
        say(words.PROGRESS): round(100 * job.progress),
        say(words.NOTE): job.note,
        say(words.ATTEMPTS): job.attempts,
        say(words.STARTED): moment(job.created_at),
        say(words.UPDATED): moment(job.updated_at),
    }
