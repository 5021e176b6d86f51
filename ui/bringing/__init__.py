"""The Data page: data at hand or brought along, looked at before anything is trained."""
