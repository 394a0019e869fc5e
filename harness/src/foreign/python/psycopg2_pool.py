"""A stand-in: a pool of connections, which an invocation of one thread empties and fills."""

from psycopg2 import Error, connect
from tumbler_guest import refuse_attribute


class PoolError(Error):
    pass


class SimpleConnectionPool:
    def __init__(self, minconn, maxconn, *args, **settings):
        self.minconn, self.maxconn, self.closed = int(minconn), int(maxconn), False
        self._settings, self._used = (args, settings), []
        self._free = [self._connect() for _ in range(self.minconn)]

    def _connect(self):
        args, settings = self._settings
        return connect(*args, **settings)

    def getconn(self, key=None):
        if self.closed:
            raise PoolError("connection pool is closed")
        if not self._free and len(self._used) >= self.maxconn:
            raise PoolError("connection pool exhausted")
        connection = self._free.pop() if self._free else self._connect()
        self._used.append(connection)
        return connection

    def putconn(self, connection=None, key=None, close=False):
        if self.closed:
            raise PoolError("connection pool is closed")
        if connection not in self._used:
            raise PoolError("trying to put unkeyed connection")
        self._used.remove(connection)
        if close or connection.closed or len(self._free) >= self.minconn:
            connection.close()
            return
        connection.rollback()
        self._free.append(connection)

    def closeall(self):
        if self.closed:
            raise PoolError("connection pool is closed")
        for connection in self._free + self._used:
            connection.close()
        self.closed = True


ThreadedConnectionPool = SimpleConnectionPool
__getattr__ = refuse_attribute("psycopg2.pool")
