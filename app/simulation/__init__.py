"""Trouble made on purpose: what the seeds' demonstrations do to orders, off unless somebody asks for it.

Nothing but the factory knows this room; the rules and the services meet it as a gateway and a disturbance.
"""
