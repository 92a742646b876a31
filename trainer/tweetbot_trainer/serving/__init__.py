"""Serve published models to people and programs: a page to try them in, and two APIs.

server ─▶ app ─▶ access (who may ask) ─▶ page, api/ ─▶ drafting/ (one thread per model)
"""
