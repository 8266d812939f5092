/** What a listener tells. Called from its own turns of the event loop, never from within start() or stop(). */
export interface ListenEvents {
  /** A notification came, with this payload; '' if it had none. */
  readonly onNotify: (payload: string) => void;
  /** The channel is listened to, for the first time or again: whatever was sent until now may have been missed. */
  readonly onConnected: () => void;
  /** The channel is no longer listened to, or could not be. The listener goes on trying. */
  readonly onLost: () => void;
}

/** Listens to one channel: the port between the hub and pg-listen. */
export interface Listener {
  /** Begins to listen; resolves when the first attempt has succeeded or failed. Never rejects. Called at most once. */
  start(events: ListenEvents): Promise<void>;

  /** Ends it for good, connection included. Safe twice, before start() and during an attempt to connect. */
  stop(): Promise<void>;
}
