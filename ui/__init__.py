"""Docks, dialogs and the models behind them."""
