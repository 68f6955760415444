"""The administrator's dashboard: Streamlit pages over the HTTP API."""
